"""A process that reads all features of all plays, and does nothing else: `skip_features.py DATA PLAYS`."""

import sys
from dataclasses import replace
from pathlib import Path

from pozytywka_cli.dataset.service import load
from pozytywka_cli.skip.inputs.features import features, fit
from pozytywka_cli.skip.inputs.history import canonical

if __name__ == "__main__":
    found = load(Path(sys.argv[1]), Path(sys.argv[2]), print)
    service = replace(found, plays=canonical(found.plays))
    features(service.plays, service, fit(service.plays, service.tracks))
