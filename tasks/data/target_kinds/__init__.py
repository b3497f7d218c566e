"""Targets other than one label or number a row: several side by side."""
