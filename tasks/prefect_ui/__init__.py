"""What Prefect's pages show of a run: the form, the progress, the artifacts.

Imports `run`, `report` and what they may import.
"""
