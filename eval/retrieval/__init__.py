"""How well passages are found: search modes and chunking strategies, side by side on the same questions."""
