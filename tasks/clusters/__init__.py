"""Folds on a Dask or Ray cluster: the engine carries calls, everything else is as it is locally.

Imports `workers` and what that may import.
"""
