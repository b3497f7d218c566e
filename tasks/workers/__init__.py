"""Worker processes: the pool of slots; `in_worker` has what runs inside them.

`host_client` starts them, and `environment` sets their environment variables.

Imports `training`, `store`, `folds` and what they may import.
"""
