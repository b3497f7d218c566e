"""Worker processes: started, given folds one at a time, watched, recycled.

Imports `training`, `store`, `folds` and what they may import.
"""
