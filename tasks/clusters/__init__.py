"""Folds on a Dask or Ray cluster: the engine carries calls, everything else is as it is locally.

The flow's process keeps the Prefect tasks, the tries of each fold, its lock and its record.
What goes to a node is one call at a time; there it runs in the same kind of pinned worker
process as on this machine, and the fold goes into the store from there.
"""
