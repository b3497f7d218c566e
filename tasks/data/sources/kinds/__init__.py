"""One module a kind of source, each of which declares a SOURCE; `choose.py` finds them.

May import what `data.sources` may.
"""
