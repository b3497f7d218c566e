"""One trial of the user's model in a worker, to find what cannot train before anything starts.

Imports `training`, `folds` and what that may import.
"""
