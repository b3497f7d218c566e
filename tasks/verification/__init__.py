"""Verify a finished run: its files, its metrics, and folds refitted in fresh processes.

`prefect_flow` is the Prefect flow of that.

Imports `run`, `prefect_flow` and what they may import.
"""
