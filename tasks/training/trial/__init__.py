"""Try the user's model once in a worker, to report what cannot train before folds start.

Imports `training`, `folds` and what that may import.
"""
