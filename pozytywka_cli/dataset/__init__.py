"""Read, validate and transform the five tables; generate a sample."""
