"""The report of a run: its folder, its page, its result object, and how it is read again.

Imports `evaluation` and what that may import.
"""
