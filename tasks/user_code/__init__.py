"""Find, identify, check, import and call the user's code.

Imports `common` only.
"""
