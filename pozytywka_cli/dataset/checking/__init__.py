"""Check the tables against every rule, and set bad lines aside."""
