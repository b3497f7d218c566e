"""Store finished folds and reports atomically, in folders or object storage.

Imports `folds` and what that may import.
"""
