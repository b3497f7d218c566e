"""Read CSV files of any dialect: detect encoding and delimiter, parse, convert numbers.

Imports `common`, `config` and `data.sources.open_file`.
"""
