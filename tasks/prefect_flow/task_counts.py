"""Count the task runs of each flow run, to wait at the end until the server has them all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.context import FlowRunContext

_begun: ContextVar[Counter[str] | None] = ContextVar("foldproof_tasks_begun", default=None)


@contextmanager
def counting_tasks() -> Iterator[Counter[str]]:
    """Count the task runs that start within the block, by flow run id."""
    counts: Counter[str] = Counter()
    token = _begun.set(counts)
    try:
        yield counts
    finally:
        _begun.reset(token)


def count_task() -> None:
    """Count a task run of the current flow run; a subflow counts as one of its parent."""
    counts, context = _begun.get(), FlowRunContext.get()
    if counts is not None and context is not None and context.flow_run is not None:
        counts[str(context.flow_run.id)] += 1
