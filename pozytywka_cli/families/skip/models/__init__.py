"""The skip models of all variants."""
