"""Metrics of the user's that the settings name by import path, such as `scores:lift`.

They are imported when a run's metrics are resolved, which is after its settings were checked, and
looked up afterwards: a name that only stands in a report imports nothing.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.from_python.scorer_objects import as_scorer
from foldproof.tasks.user_code.named_parts import import_named
from foldproof.tasks.user_code.objects.functions import is_function_object

_loaded: dict[str, Callable[..., Any]] = {}
_digests: dict[str, str] = {}  # of the modules' files when they were imported


def is_own_metric(name: str) -> bool:
    """Return whether a metric is named by an import path."""
    return ":" in name and not is_function_object(name)


def load_own_metrics(names: Iterable[str]) -> None:
    """Import those of some metrics that are the user's.

    Raises:
        InputError: one cannot be imported, or takes something else than a metric does.
    """
    for name in filter(is_own_metric, names):
        found = import_named("metrics", name)
        _refuse_stale(name)
        try:
            _loaded[name] = as_scorer(found)
        except (InputError, TypeError, ValueError) as error:  # some do not say what they take
            problem = error.problem if isinstance(error, InputError) else f"{name}: {error}"
            raise InputError("metrics", problem) from None


def _refuse_stale(name: str) -> None:
    """Refuse a module whose source changed since it was imported: keys hold the new one."""
    module = name.partition(":")[0]
    path = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    digest = digest_file(path) if path.is_file() else ""
    if _digests.setdefault(module, digest) != digest:
        raise InputError("metrics", f"{path.name} changed since it was imported; restart Python")


def own_metric(name: str) -> Callable[..., Any] | None:
    """Return the scorer of a metric of the user's, or None if it was not loaded."""
    return _loaded.get(name)
