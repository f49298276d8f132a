"""What passages that carry instructions change of routes, answers and citations: `python -m eval.injection`."""
