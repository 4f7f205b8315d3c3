"""From artist names to artists: normalisation, fuzzy search, and memory-mapped string tables."""
