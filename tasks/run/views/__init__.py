"""What a person sees of a run: in a terminal, in a log, in a notebook.

Imports what `run` may import.
"""
