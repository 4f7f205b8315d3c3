"""How long will each artist be listened to in the next weeks?"""

VARIANTS = ("lstm", "mean", "mean4", "last", "linear", "linear-all", "legacy-lstm", "seasonal", "AutoETS", "SES")
BASELINES = ("mean", "mean4", "last", "linear", "linear-all", "seasonal", "AutoETS", "SES")
BASELINE = "mean"
ON_GPU = ("lstm", "legacy-lstm")
