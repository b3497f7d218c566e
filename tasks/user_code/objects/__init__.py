"""User code given as Python objects: registered, identified by content, sent by value.

Imports `common` and `user_code`.
"""
