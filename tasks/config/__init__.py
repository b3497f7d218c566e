"""The settings of a run: their types and limits, the YAML file, and the words of what is wrong.

Imports `common` and `user_code`.
"""
