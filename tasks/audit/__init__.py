"""Find out which causes make repeated fits of the user's model differ.

Imports `run` and what that may import.
"""
