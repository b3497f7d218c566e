"""How rows are divided into folds: splitters, times, holdout, and the plan of all folds.

May import what `folds` may.
"""
