"""Show a run in the Prefect UI: its form, its progress, its logs, its artifacts.

Imports `run`, `report` and what they may import.
"""
