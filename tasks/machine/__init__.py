"""Describe this machine: its devices, numerics and memory.

Imports `common` and `config`.
"""
