"""Any source becomes one data set on disk: features, target and the columns beside them.

Imports `common` and `config`.
"""
