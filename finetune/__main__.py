"""`python -m finetune`."""

from __future__ import annotations

from finetune.cli import main

main()
