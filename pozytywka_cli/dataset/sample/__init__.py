"""A generated service to try everything on: five believable tables, and the truth behind them.

The truth (`truth/`) holds what a model can at best learn: the probability of every skip, the expected plays of every
artist in every week, the genre of every artist, and, in a dirty sample, every planted fault.
"""

from pozytywka_cli.dataset.sample.write import Sample, write_sample

__all__ = ["Sample", "write_sample"]
