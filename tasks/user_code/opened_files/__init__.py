"""The files that a builder opens while it builds: watched, recorded, and checked for changes.

Imports `common` and `user_code`.
"""
