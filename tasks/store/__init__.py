"""Where finished folds and reports are kept: whole or not at all, in folders or object storage.

Imports `folds` and what that may import.
"""
