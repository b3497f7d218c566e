"""From finished folds to tables: metrics, summaries, findings.

Imports `folds`, `store` and what they may import.
"""
