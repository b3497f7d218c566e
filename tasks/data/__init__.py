"""Turn any source into a data set on disk: features, target, groups and weights.

Imports `common` and `config`.
"""
