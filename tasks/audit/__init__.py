"""Which cause makes repeated fits of a user's own model differ.

Imports `run` and what that may import.
"""
