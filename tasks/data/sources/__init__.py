"""The kinds of sources: one module each, which declares a SOURCE; `choose` finds them.

Imports `common` and `config`.
"""
