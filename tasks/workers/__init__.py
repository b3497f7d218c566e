"""Worker processes: the pool of slots, and in `in_worker` and `preload` what runs inside them.

Imports `training`, `store`, `folds` and what they may import.
"""
