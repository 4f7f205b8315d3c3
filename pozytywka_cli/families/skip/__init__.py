"""Will this track be played to its end?"""

VARIANTS = ("advanced", "simple", "forest", "logistic", "legacy", "user-rate", "constant")
BASELINES = ("logistic", "legacy", "user-rate", "constant")
BASELINE = "constant"
ON_GPU = ("advanced", "simple", "legacy")
