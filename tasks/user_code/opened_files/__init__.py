"""Watch which files a builder opens, record them, and check them for changes.

Imports `common` and `user_code`.
"""
