"""A report in object storage, as a folder of this machine for as long as it is looked at."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.paths import is_remote
from foldproof.tasks.run.allowlist import check_place
from foldproof.tasks.store.object_storage import Remote


@contextmanager
def at_hand(place: str) -> Iterator[Path]:
    """Yield the local folder of a report, downloaded from object storage if it lies there.

    Raises:
        InputError: it cannot be read, or may not be.
    """
    check_place("RUN_DIR", place)
    if not is_remote(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="foldproof-report-") as folder:
        remote = Remote(place)
        try:
            remote.fetch(remote.names(""), Path(folder))
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError("RUN_DIR", f"{place!r} cannot be read ({reason})") from None
        yield Path(folder)
