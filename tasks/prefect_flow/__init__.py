"""The run as a Prefect flow: its tasks, states and names, the server, and outages of that.

Imports `prefect_ui`, `run` and what they may import.
"""
