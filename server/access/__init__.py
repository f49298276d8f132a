"""People and rights: who asks, what they may do, and how much of it."""
