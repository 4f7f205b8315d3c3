"""Answers over HTTP: the promoted models, events, experiments."""
