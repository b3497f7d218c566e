"""Arrays and frames that are given in Python: kept, named by content, or refused.

May import what `config` may.
"""
