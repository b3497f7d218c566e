"""The settings of a run: their types and limits, the YAML file, and validation messages.

Imports `common` and `user_code`.
"""
