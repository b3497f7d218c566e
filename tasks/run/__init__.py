"""One run: what follows from its settings, what it may name, what it shows in a terminal.

Imports everything below, and no Prefect.
"""
