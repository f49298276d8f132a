"""Whether the check of written sentences tells supported from unsupported ones: `python -m eval.support`."""
