"""Count the task runs of each flow run, to wait at the end until the server has them all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.context import FlowRunContext

_begun: ContextVar[Counter[str] | None] = ContextVar("foldproof_tasks_begun", default=None)


@contextmanager
def counting_tasks() -> Iterator[Counter[str]]:
    """Count tasks meanwhile, by the id of their flow run."""
    counts: Counter[str] = Counter()
    token = _begun.set(counts)
    try:
        yield counts
    finally:
        _begun.reset(token)


def count_task() -> None:
    """Count a task that the current flow run is about to begin; a subflow is one of its parent."""
    counts, context = _begun.get(), FlowRunContext.get()
    if counts is not None and context is not None and context.flow_run is not None:
        counts[str(context.flow_run.id)] += 1
