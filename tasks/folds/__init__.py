"""What a fold is: its rows, its seeds, its key, the job that a worker gets, and what comes back.

Imports `common`, `user_code`, `config`, `machine` and `data`.
"""
