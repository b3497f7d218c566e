"""Features that are a table: the kinds of its columns, its file, and columns that look mistaken.

May import what `data` may.
"""
