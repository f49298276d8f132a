"""What an adapter costs: paired items and perplexity with it on and off."""
