"""Turn errors of a disk into one line for the user: the place, the reason, the remedy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from foldproof.tasks.common.errors import RunFailed

RERUN_REMEDY = "mend that and run the same command again: finished folds are kept"
REASONS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "a file may not become that large",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.EIO: "input/output error",
    errno.ENOENT: "the folder is gone",
    errno.ENOTDIR: "a folder on the way became a file",
    errno.ESTALE: "the network file system lost it",
    errno.ENODEV: "the device is gone",
    errno.ENXIO: "the device is gone",
    errno.ETIMEDOUT: "it did not answer in time",
    errno.ENAMETOOLONG: "the name is too long",
}


@contextmanager
def disk_errors_as_run_failed(what: str, remedy: str) -> Iterator[None]:
    """Wrap writes: an `OSError` of the disk becomes a `RunFailed` with a one-line message.

    Args:
        what: what is being written, and where.
        remedy: what to do about it.

    Raises:
        RunFailed: the disk refused to write; other errors pass through.
    """
    try:
        yield
    except OSError as error:
        reason = REASONS.get(errno.ENOSPC if _is_short_write(error) else error.errno or 0)
        if reason is None:
            raise
        raise RunFailed(f"{what} cannot be written ({reason}); {remedy}") from None


def _is_short_write(error: OSError) -> bool:
    """Return whether it is NumPy's error for a full disk, which has no errno."""
    return error.errno is None and "requested and" in str(error)
