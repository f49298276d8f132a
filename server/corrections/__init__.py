"""Corrections: what people say that fields of an extraction should have been, kept as training rows."""
