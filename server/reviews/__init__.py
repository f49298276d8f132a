"""Human review: fraud scores that wait for a person, the queue of them, and how a decision reaches its thread."""
