"""Confidence intervals of a cross-validated metric: one method a module.

Imports `common`, `folds.split.splitters` and, of this package, declarations of metrics.
"""
