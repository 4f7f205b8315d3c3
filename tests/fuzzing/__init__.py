"""Mutate small valid inputs, and run the program on them; `tests/fuzz.py` is the command."""
