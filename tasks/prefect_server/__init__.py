"""The Prefect API of a run: configured or embedded, watched, and Prefect's private names.

Imports `run` and what that may import.
"""
