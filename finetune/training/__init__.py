"""Training: TRL's trainer over LoRA adapters, with what the rows share computed once."""
