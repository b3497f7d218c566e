"""Folds on a Dask cluster, or on one of this machine's for the run.

Imports `clusters.protocol` and what `clusters` may import.
"""
