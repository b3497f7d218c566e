"""Ways to run the same training, which give the same bits; `choose` chooses.

Imports `training`, `folds` and what that may import.
"""
