"""Compare models on the same folds: run them, test them in pairs, report them in one folder.

Imports `prefect_flow`, `report` and what they may import.
"""
