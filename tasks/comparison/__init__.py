"""Compare models on the same folds: run them, test them in pairs, report them in one folder.

`prefect_flow` is the Prefect flow of that, with its tasks.

Imports `prefect_flow`, `report` and what they may import.
"""
