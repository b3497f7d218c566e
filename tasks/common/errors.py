"""The errors of foldproof, by who has to act on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from foldproof.tasks.common.text import one_line


class InputError(ValueError):
    """Say which field of the user's input is wrong and what to do about it, in one line.

    Args:
        field: the dotted name of the setting, or the file, that is wrong.
        problem: what is wrong with it and the remedy.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field = one_line(field)
        self.problem = one_line(problem)
        super().__init__(f"{self.field}: {self.problem}")

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str]]:
        """Travel between processes with both parts."""
        return type(self), (self.field, self.problem)


@contextmanager
def said_of(name: str) -> Iterator[None]:
    """Say whose input it is that is wrong."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error.field}", error.problem) from None


class WorkerLost(RuntimeError):
    """A worker process died, or was killed, while it held a fold."""


class FoldTimeout(RuntimeError):
    """A fold ran past `compute.fold_timeout` and was killed."""


class RunFailed(RuntimeError):
    """The run cannot be finished, for a reason that one line says; finished folds are stored."""


class NodeLost(RuntimeError):
    """A node of the cluster is gone, with what it was doing."""


class Disconnected(RuntimeError):
    """The cluster's scheduler cannot be reached; its nodes may be gone or not."""


class ClusterLost(RunFailed):
    """The cluster did not come back in time; finished folds are stored."""


class Interrupted(RuntimeError):
    """The run was told to stop; finished folds are stored."""
