"""The Prefect flow of a run: the flow object, its tasks, their states and names.

Prefect is imported here, in `prefect_ui`, in `prefect_server`, and in the modules
`prefect_flow.py` of other packages, and nowhere else.

Imports `prefect_ui`, `run` and what they may import.
"""
