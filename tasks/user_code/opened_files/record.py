"""Cached records of the files that builders open, so that a later run need not build first.

A record names paths, for this machine; the keys hold the SHA-256 of the files alone. It is
good for as long as the same builder would open the same: the files are unchanged, those that
it looked for in vain are still absent, and the environment variables that it read are as they
were, of which the record holds digests only.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_file, digest_json
from foldproof.tasks.common.inputs import plain_shapes
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.common.whole_files import write_whole
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.opened_files.watch import OpenedFiles
from foldproof.tasks.user_code.search_path import import_folders

FOLDER = "builders"
OPEN_NO_FILES = ("tasks", "sklearn")  # what is built from these alone opens no files


def may_open_files(builder: str) -> bool:
    """Return whether a builder may open files and has to be watched."""
    return builder.partition(":")[0].split(".")[0] not in OPEN_NO_FILES


def record_name(described: Mapping[str, Any], call: BuilderCall) -> str:
    """Return the name of a builder's record, relative to the folder of results.

    Args:
        described: its sources and parameters, as in the keys.
        call: what it is handed. The working directory counts, too: paths may start there.
    """
    handed = [plain_shapes(call.input_shape), call.n_outputs, call.n_classes, call.task]
    return f"{FOLDER}/{digest_json([RESULTS_VERSION, described, handed, import_folders()[0]])}.json"


def read_record(path: Path) -> OpenedFiles | None:
    """Return what a builder opens by its record, or None where that is not known any more."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        files = tuple((str(name), str(digest)) for name, digest in found["files"])
        absent, variables = tuple(map(str, found["absent"])), dict(found["variables"])
        same = (
            all(digest_file(Path(name)) == digest for name, digest in files)
            and not any(os.path.lexists(name) for name in absent)
            and variables == values_of(tuple(variables))
        )
    except (OSError, ValueError, KeyError, TypeError):  # gone, changed, or no record
        return None
    return OpenedFiles(files, absent, tuple(variables)) if same else None


def write_record(opened: OpenedFiles, path: Path) -> None:
    """Write the record of a builder atomically."""
    content = {
        "files": opened.files,
        "absent": opened.absent,
        "variables": values_of(opened.variables),
    }
    write_whole(path, json.dumps(content, indent=1))


def values_of(names: tuple[str, ...]) -> dict[str, str]:
    """Return the digest of each variable's value; a secret among them stays one."""
    return {name: digest_json([name, os.environ.get(name)]) for name in names}
