"""Recognise the names that Prefect's server generates for runs that nobody named."""

from functools import cache
from typing import Any

from prefect.client.schemas.objects import FlowRun


def is_generated_name(run: FlowRun) -> bool:
    """Return whether the server generated a run's name.

    A run of a schedule cannot be given one. Of any other, only the name is known: it counts
    as made up if it is one of the pairs of words that Prefect's server draws from.
    """
    first, _, second = run.name.partition("-")
    return run.auto_scheduled or (first in _drawn(0) and second in _drawn(1))


@cache
def _drawn(place: int) -> frozenset[str]:
    """Return the words that the server draws from for one place of a name."""
    from coolname.data import config

    lists: Any = config

    def words(name: str) -> frozenset[str]:
        part = lists[name]
        if "words" in part:
            return frozenset(part["words"])
        return frozenset().union(*(words(inner) for inner in part.get("lists", ())))

    return words(lists["an"]["lists"][place])
