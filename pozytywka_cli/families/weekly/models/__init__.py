"""The variants: how each is fitted, saved, loaded, and how it forecasts."""
