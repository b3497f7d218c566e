"""Findings: what a reader must know of data, folds and predictions, one theme a module.

Imports `common`, `config`, `data`, `folds` and the tables of `evaluation`.
"""
