"""Where the speed figures of the README come from: each is a ratio of two things timed in turn, in one run."""
