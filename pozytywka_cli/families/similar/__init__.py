"""Which artists are like this one?"""

VARIANTS = ("als", "popularity")
BASELINE = "popularity"
ON_GPU = ("als",)
