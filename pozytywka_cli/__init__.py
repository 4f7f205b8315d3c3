"""pozytywka: from a music service's raw logs to validated data, plays, models and decisions."""

__version__ = "0.1.0"
