"""Will this track be played to its end?"""

VARIANTS = ("advanced", "simple", "forest", "constant")
BASELINE = "constant"
