"""Confidence intervals of a cross-validated metric: one method a module.

Imports nothing else of foldproof but `folds.splitters` and `evaluation.declared`.
"""
