"""How fast documents come in, how fast passages are found, and how soon an answer starts, on this machine."""
