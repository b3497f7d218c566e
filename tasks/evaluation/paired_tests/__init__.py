"""Paired tests of two models on the same folds: one method a module.

Imports `evaluation.intervals` and `folds.split.splitters`.
"""
