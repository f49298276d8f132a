"""Deterministic readers: each proposes typed candidates with the exact span of text they were read from."""
