"""The report of a run: its folder, its page, the result object, and reading it back.

Imports `evaluation` and what that may import.
"""
