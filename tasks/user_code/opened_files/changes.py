"""Detect files of a builder that change while folds train: their digests are in the keys."""

from collections.abc import Sequence
from pathlib import Path

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.user_code.opened_files.watch import Signature, signature_of


def refuse_changed(files: Sequence[tuple[str, str]]) -> None:
    """Refuse to go on where a file is no longer what the keys say.

    Raises:
        ChangedFile: with its name.
    """
    for path, digest in files:
        signature = signature_of(path)
        if signature is None:
            continue  # where it is missing, or lies elsewhere, the builder will say so
        if _digests.get(path, (None, ""))[0] != signature:
            _digests[path] = signature, digest_file(Path(path))
        if _digests[path][1] != digest:
            name = Path(path).name
            raise ChangedFile(f"{name!r}, which the builder reads, changed meanwhile; run again")


class ChangedFile(RuntimeError):
    """A file that a builder reads was replaced while folds were trained."""


_digests: dict[str, tuple[Signature | None, str]] = {}
