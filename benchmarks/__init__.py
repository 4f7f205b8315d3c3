"""Where the figures of the README come from: most are ratios of two things timed in turn, in one run."""
