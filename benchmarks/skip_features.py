"""A process that computes all features of all plays, and does nothing else: `skip_features.py DATA PLAYS`."""

import sys
from pathlib import Path

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_features import PlayFeatures
from pozytywka_cli.families.skip.features.play_log import PlayLog

if __name__ == "__main__":
    log = PlayLog.of(load(Path(sys.argv[1]), Path(sys.argv[2]), print))
    PlayFeatures(log, FeatureParameters.fit(log.plays, log.dataset.tracks))(log.plays)
