"""Confidence intervals of a cross-validated metric: one method a module.

Imports `common` and `folds.split.splitters`.
"""
