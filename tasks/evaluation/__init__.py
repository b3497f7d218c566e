"""Evaluate finished folds: metrics, intervals, paired tests, summaries, findings.

Imports `folds`, `store` and what they may import.
"""
