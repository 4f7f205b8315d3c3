"""Generate a realistic data set: five tables, and the ground truth behind them.

The ground truth (`truth/`) is what a model can at best learn: the probability of every skip, the expected plays of
every artist in every week and how they divide among users and tracks, what moves each user to skip, the genre of every
artist, and, in a dirty sample, the list of its faults.
"""

from pozytywka_cli.dataset.sample.write import Sample, write_sample

__all__ = ["Sample", "write_sample"]
