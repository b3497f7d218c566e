"""Results in object storage: a local folder mirrors it, and files are uploaded one by one.

An object is there whole or not at all, so a finished fold needs no temporary name there. A
report counts as there when its manifest is, which goes last.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError, RunFailed
from foldproof.tasks.folds.paths import FOLDS, RUNS, is_remote
from foldproof.tasks.store.disk_errors import RERUN_REMEDY

PARALLEL_TRANSFERS = 8  # files at a time


def refuse_remote(out: str, command: str) -> None:
    """Refuse object storage for a command that writes to folders only.

    Raises:
        InputError: it is object storage.
    """
    if is_remote(out):
        raise InputError("out", f"{command} writes to folders only; choose one of this machine")


@dataclass(frozen=True)
class Remote:
    """A folder in object storage.

    Attributes:
        uri: such as s3://bucket/folder?endpoint_override=host:port; credentials come from the
            environment, never from here.
    """

    uri: str

    def __post_init__(self) -> None:
        """Refuse credentials in the address: it is written into reports.

        Raises:
            InputError: there are some.
        """
        if "@" in self.uri.split("://", 1)[1].split("/", 1)[0]:
            raise InputError("out", "holds credentials; put them into the environment instead")

    def at(self, name: str) -> str:
        """Return the address of something in this folder."""
        address, mark, query = self.uri.partition("?")
        return f"{address.rstrip('/')}/{name}{mark}{query}"

    @cached_property
    def opened(self) -> tuple[Any, str]:
        """The file system of Arrow that holds it, and the path there."""
        from pyarrow import fs

        system, root = fs.FileSystem.from_uri(self.uri)
        return system, root.rstrip("/")

    def names(self, folder: str) -> frozenset[str]:
        """Return the names of the files in a folder of this one; none if it is not there."""
        from pyarrow import fs

        system, root = self.opened
        place = f"{root}/{folder}".rstrip("/")
        selector = fs.FileSelector(place, allow_not_found=True)
        found = system.get_file_info(selector)
        return frozenset(info.base_name for info in found if info.type == fs.FileType.File)

    def fetch(self, names: Iterable[str], into: Path) -> None:
        """Copy files from here into a local folder, under the same names."""
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            for _ in pool.map(lambda name: self._fetch_one(name, into / name), names):
                pass

    def fetch_if_there(self, name: str, into: Path) -> None:
        """Copy a file from here into a local folder if there is one.

        Raises:
            RunFailed: object storage did not answer.
        """
        folder, _, base = name.rpartition("/")
        with storage_errors_as_run_failed(self.uri):
            self.fetch([name] if base in self.names(folder) else [], into)

    def send(self, names: Iterable[str], out: Path) -> None:
        """Copy files from a local folder to here, under the same names."""
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            for _ in pool.map(lambda name: self._send_one(out / name, name), names):
                pass

    def remove(self, name: str) -> None:
        """Remove a file that is here, if it is."""
        system, root = self.opened
        folder, _, base = name.rpartition("/")
        if base in self.names(folder):
            system.delete_file(f"{root}/{name}")

    def probe(self) -> None:
        """Check that files can be written here.

        Raises:
            InputError: they cannot, with the reason.
        """
        try:
            system, root = self.opened
            with system.open_output_stream(f"{root}/.probe") as file:
                file.write(b"")
            system.delete_file(f"{root}/.probe")
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            problem = f"cannot write to {self.uri!r} ({reason}); check address and credentials"
            raise InputError("out", problem) from None

    def _fetch_one(self, name: str, path: Path) -> None:
        from pyarrow import fs

        system, root = self.opened
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")  # a file of the right name is whole
        fs.copy_files(f"{root}/{name}", str(part), system, fs.LocalFileSystem())
        part.replace(path)

    def _send_one(self, path: Path, name: str) -> None:
        from pyarrow import fs

        system, root = self.opened
        fs.copy_files(str(path), f"{root}/{name}", fs.LocalFileSystem(), system)


@contextmanager
def storage_errors_as_run_failed(uri: str) -> Iterator[None]:
    """Wrap transfers: an `OSError` of object storage becomes a one-line `RunFailed`.

    Raises:
        RunFailed: it refused, or did not answer.
    """
    try:
        yield
    except OSError as error:
        reason = " ".join(str(error).split())[:200]
        raise RunFailed(f"out: {uri!r} cannot be reached ({reason}); {RERUN_REMEDY}") from None


def download_run(remote: Remote, stores: Iterable[Path], run_id: str, out: Path) -> None:
    """Download a run's finished folds and complete report, as far as they are missing here.

    Args:
        remote: the store.
        stores: where the folds' files are to be here.
        run_id: the report's name.
        out: the local folder that stands for the store.
    """
    there = remote.names(FOLDS)
    names = [f"{FOLDS}/{path.name}" for path in stores if path.name in there and not path.exists()]
    report = f"{RUNS}/{run_id}"
    files = remote.names(report)
    if "manifest.json" in files and not (out / report).exists():
        names += [f"{report}/{name}" for name in files]
    with storage_errors_as_run_failed(remote.uri):
        remote.fetch(names, out)


def upload_report(remote: Remote, report: Path, execution: str, manifest: str) -> None:
    """Upload a report to object storage; its manifest goes last and makes it complete.

    Args:
        remote: the store.
        report: the local folder of the report, runs/RUN_ID.
        execution: the name of the file that may differ between equal runs.
        manifest: the name of the file that goes last.
    """
    folder = f"{RUNS}/{report.name}"
    names = [f"{folder}/{path.name}" for path in sorted(report.iterdir())]
    last = f"{folder}/{manifest}"
    if _is_uploaded(remote, report, last):
        remote.send([f"{folder}/{execution}"], report.parent.parent)
        return
    remote.remove(last)
    remote.send([name for name in names if name != last], report.parent.parent)
    remote.send([last], report.parent.parent)


def _is_uploaded(remote: Remote, report: Path, manifest: str) -> bool:
    system, root = remote.opened
    try:
        with system.open_input_stream(f"{root}/{manifest}") as file:
            return bool(file.read() == (report / Path(manifest).name).read_bytes())
    except OSError:
        return False
