"""The kinds of sources: one module each, and a package for CSV files; `read` chooses among them.

Imports `common` and `config`.
"""
