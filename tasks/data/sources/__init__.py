"""The kinds of sources, one a module; `read` chooses among them.

Imports `common`, `config` and `data.text_columns`' neighbours below it.
"""
