"""The variants, and how lists are made of their scores."""
