"""Decisions made from predictions."""
