"""Fit every variant on the training plays of a split."""
