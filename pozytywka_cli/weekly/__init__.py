"""How long will each artist be listened to next week?"""

VARIANTS = ("lstm", "mean", "linear")
BASELINE = "mean"
