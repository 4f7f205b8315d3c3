"""From files to validated tables, plays and splits."""
