"""CSV files in whatever way they are written: recognised, read, their numbers understood.

Imports `common`, `config` and `data.sources.open_file`.
"""
