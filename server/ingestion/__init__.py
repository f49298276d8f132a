"""How documents get in and stay in step: what was uploaded, its row, its bytes while they are needed."""
