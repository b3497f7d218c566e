"""What differs between two values of plain JSON."""

from collections.abc import Iterator, Mapping
from typing import Any


def json_diff(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted name of each part that differs, and both its values; None for no part."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for part in sorted({*before, *now}):
            yield from json_diff(before.get(part), now.get(part), f"{name}.{part}".strip("."))
    elif before != now:
        yield name, before, now
