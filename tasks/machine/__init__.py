"""What this machine has: devices, numerics, memory.

Imports `common` and `config`.
"""
