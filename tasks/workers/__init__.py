"""Worker processes: start them, hand them folds one at a time, monitor and recycle them.

Imports `training`, `store`, `folds` and what they may import.
"""
