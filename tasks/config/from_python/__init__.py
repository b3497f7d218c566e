"""Settings given as Python objects: the arguments of a call, scorers, splitters.

Imports `config` and what that may import.
"""
