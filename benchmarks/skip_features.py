"""A process that reads all features of all plays, and does nothing else: `skip_features.py DATA PLAYS`."""

import sys
from dataclasses import replace
from pathlib import Path

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.features.play_features import features, fit

if __name__ == "__main__":
    found = load(Path(sys.argv[1]), Path(sys.argv[2]), print)
    dataset = replace(found, plays=canonical(found.plays))
    features(dataset.plays, dataset, fit(dataset.plays, dataset.tracks))
