"""Commands that are run by a warm process, which stays for the next one: `--keep-warm 10m`.

Imports `common`; what a command needs is loaded in the warm process.
"""
