"""Which settings are worth it: a staged, resumable sweep over the recipe."""
