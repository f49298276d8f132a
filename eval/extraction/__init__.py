"""Extraction measured: labelled documents of our own and real receipts, baselines, figures and their page."""
