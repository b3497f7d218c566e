"""What belongs to a process as a whole: what it keeps, its log, its garbage, its code.

May import what `common` may.
"""
