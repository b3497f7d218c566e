"""Training engines, all with bit-identical results; `choose` selects one.

Imports `training`, `folds` and what that may import.
"""
