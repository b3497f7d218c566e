"""Several models on the same folds: run together, tested in pairs, reported as one folder.

Imports `prefect_flow`, `report` and what they may import.
"""
