"""Verify a finished run: its files, its metrics, and folds refitted in fresh processes.

Imports `run`, `prefect_flow` and what they may import.
"""
