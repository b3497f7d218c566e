"""The commands: arguments, signals, output, exit codes.

Imports everything below.
"""
