"""Measuring: metrics with intervals, baselines on the same rows, comparisons, plots."""
