"""What is used of scikit-learn beyond its documented API.

Read from scikit-learn 1.9.1. Where a name is gone, a scorer shows under its own name.
"""

from typing import Any

READ_FROM = "scikit-learn 1.9.1"


def scored_function(scorer: Any) -> Any:
    """Return the function that a scorer of scikit-learn's calls, or None for anything else."""
    return getattr(scorer, "_score_func", None)
