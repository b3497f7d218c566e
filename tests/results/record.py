"""The record: the version of results, and the digest of the code that it was given for."""

import ast
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.results.code import code_digest

FILE = Path("tests", "results", "record.json")
VERSIONS = Path("tasks", "common", "version.py")
NAME = "RESULTS_VERSION"


@dataclass(frozen=True)
class Record:
    """A version of results and the digest of what decides them."""

    results_version: str
    code_sha256: str

    @classmethod
    def read(cls, root: Path) -> "Record":
        """Read the record of a checkout."""
        return cls(**json.loads((root / FILE).read_text(encoding="utf-8")))

    @classmethod
    def of(cls, root: Path) -> "Record":
        """Return what the record of a checkout would be now."""
        return cls(_version(root), code_digest(root))

    def write(self, root: Path) -> None:
        """Write the record down."""
        (root / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def is_raised_from(self, earlier: "Record") -> bool:
        """Tell whether the version is a later one than another record's."""
        return _numbers(self.results_version) > _numbers(earlier.results_version)


def problem(root: Path) -> str:
    """Return what is wrong about the version of results of a checkout, or nothing."""
    known, now = Record.read(root), Record.of(root)
    if now.is_raised_from(known):
        return ""
    if now.results_version == known.results_version and now != known:
        return (
            f"the code that decides results is not that of {FILE}: raise {NAME} in {VERSIONS} if "
            "the same key can lead to another result now; then, or if not, run `make results`"
        )
    return wrong_version(known, now)


def wrong_version(known: Record, now: Record) -> str:
    """Return what is wrong about a version beside the one of the record, or nothing."""
    if now.results_version == known.results_version or now.is_raised_from(known):
        return ""
    before = known.results_version
    return f"{NAME} is {now.results_version} in {VERSIONS}, but was {before}: it only goes up"


def _version(root: Path) -> str:
    """Read the version of results in a checkout, which need not be the one that runs."""
    for statement in ast.parse((root / VERSIONS).read_bytes()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == NAME:
            return str(ast.literal_eval(statement.value))
    raise ValueError(f"{VERSIONS} has no {NAME}")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
