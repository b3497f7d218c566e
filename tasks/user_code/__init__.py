"""The user's code: found, identified by its sources, checked, imported and called.

Imports `common` only.
"""
