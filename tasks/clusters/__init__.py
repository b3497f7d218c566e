"""Train folds on a Dask or Ray cluster; the engine only carries the calls to its nodes.

Imports `workers` and what that may import.
"""
