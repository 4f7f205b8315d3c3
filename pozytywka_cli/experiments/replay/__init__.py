"""Compare models offline: what each of them, fitted to what was known before, would have answered in the same days.

There is a module for each family that can be replayed. No assignment is needed, as every model answers everything: the
comparison is paired. What users would have done with other answers it cannot tell; that takes an experiment.
"""
