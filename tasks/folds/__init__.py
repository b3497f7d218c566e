"""Define folds: their rows, seeds and keys, the job of a worker and the result that it returns.

Imports `common`, `user_code`, `config`, `machine` and `data`.
"""
