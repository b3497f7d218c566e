"""The blocks of README and docs/: read, run as a new user would, compared, written anew.

`python -m tests.support.documents [PAGE ...]` runs pages and writes what came out into them, as
`make docs` does for all. docs/contributing.md says what the comments in front of blocks mean.
"""

import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.machine.numerics import Numerics
from tests.support.processes import Ended

PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
RECORD = ROOT / "docs" / "samples.json"  # of the machine that the samples come from, and of counts
HOME = "/home/me"  # as pages show it
FENCE = re.compile(r"```(\w*)")
COMMENT = re.compile(r"<!-- (?P<does>[a-z ]+?)(?:: (?P<what>.+?))?(?:; only: (?P<only>.+))? -->")
SAMPLES = ("output of", "output of the command above", "errors of the command above")
NO_COMMENT = {"does": "", "what": "", "only": ""}
PATIENCE_S = 480  # a guard against hanging, not a measure of speed
OWN_VARIABLES = re.compile(r"PREFECT_|FOLDPROOF_|PYTHON|COLUMNS|XDG_|TMUX|_ARGCOMPLETE")

NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")
RELATIVE, ABSOLUTE = 0.1, 0.05  # how far a number may be off on another kind of processor
VARIES = (
    (re.compile(r"\S*/(?=reports/)"), ""),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{12}\b"), "RUN_ID"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "SECONDS"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "TIME"),
    (re.compile(r"[ \t]+"), " "),  # columns get wider with what stands in them
)
TRAP = """trap 'code=$?; pwd > {state}/folder; export -p > {state}/variables; exit $code' EXIT
[ ! -e {state}/variables ] || . {state}/variables
cd "$(cat {state}/folder)"
set -e
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page and the comment in front of it.

    Attributes:
        page: the path of the page, from the root.
        line: of the opening fence, from 1.
        does: what is done with it, such as run; empty where no comment stands in front of it.
        what: what the comment says behind the colon.
        only: a pattern: just what it finds is compared.
        language: as the fence names it.
        text: the lines between the fences.
    """

    page: str
    line: int
    does: str
    what: str
    only: str
    language: str
    text: str

    @property
    def place(self) -> str:
        """The block as an editor finds it."""
        return f"{self.page}:{self.line}"

    @property
    def exit_code(self) -> int:
        """The code that it is to end with."""
        return int(self.what.removeprefix("exit code ")) if self.does == "run" and self.what else 0

    @property
    def is_sample(self) -> bool:
        """Whether it shows what a command prints."""
        return self.does in SAMPLES


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found, at = [], 0
    while at < len(lines):
        if not (fence := FENCE.fullmatch(lines[at])):
            at += 1
            continue
        end = lines.index("```", at + 1)
        comment = COMMENT.fullmatch(lines[at - 1]) if at else None
        parts = comment.groupdict(default="") if comment else NO_COMMENT
        text = "".join(f"{line}\n" for line in lines[at + 1 : end])
        found.append(Block(page, at + 1, language=fence[1], text=text, **parts))
        at = end + 1
    return found


@dataclass
class Terminal:
    """A new user's terminal: where a block goes and what it sets counts for the next.

    Attributes:
        home: the empty folder that it starts in.
        variables: further environment variables.
    """

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin in the home."""
        self.home = self.home.resolve()
        self._state = Path(tempfile.mkdtemp(prefix="documents-", dir=self.home.parent))
        (self._state / "folder").write_text(str(self.home))

    @property
    def folder(self) -> Path:
        """Where it is now."""
        return Path((self._state / "folder").read_text().strip())

    def run(self, block: Block) -> Ended:
        """Run a block of bash or Python, or the command of an `output of`."""
        if block.does == "output of":
            return self._bash(block.what)
        if block.language == "python":
            script = self._state / "block.py"
            script.write_text(block.text, encoding="utf-8")
            return self._bash(f"python {shlex.quote(str(script))}")
        return self._bash(block.text)

    def shown(self, text: str) -> str:
        """Return a text as a page shows it, with the home of everybody."""
        lines = text.replace(str(self.home), HOME).splitlines()
        return "".join(f"{line.rstrip()}\n" for line in lines).strip("\n") + "\n"

    def _bash(self, command: str) -> Ended:
        beginning = TRAP.format(state=shlex.quote(str(self._state)))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {n: v for n, v in os.environ.items() if not OWN_VARIABLES.match(n)}
        ended = subprocess.run(
            ["bash", "-c", beginning + command],
            cwd=self.home,
            env=inherited | {"HOME": str(self.home), "PATH": path} | self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@dataclass(frozen=True)
class Sample:
    """A block that shows what a command prints, and what it printed now."""

    block: Block
    printed: str


def perform(page: str, terminal: Terminal) -> Iterator[Sample]:
    """Run a page from top to bottom; yield each sample with what came out now.

    Raises:
        AssertionError: a command ends with another exit code than the page says.
    """
    ended = Ended(0, "", "")
    for block in blocks(page):
        if block.does == "file":
            (terminal.folder / block.what).write_text(block.text, encoding="utf-8")
        elif block.does in ("run", "output of"):
            ended = terminal.run(block)
            said = f"{block.place} ended with {ended.code}:\n{ended.out}\n{ended.err}"
            assert ended.code == block.exit_code, said
        if block.is_sample:
            printed = ended.err if block.does.startswith("errors") else ended.out
            yield Sample(block, terminal.shown(printed))


def difference(sample: Sample, exact: bool) -> str:
    """Return what is not as the page shows it, or nothing.

    Args:
        sample: a block and what was printed.
        exact: numbers, too, must be those of the page.
    """
    shown, printed = (
        _part(text, sample.block.only) for text in (sample.block.text, sample.printed)
    )
    if _plain(shown, exact) == _plain(printed, exact) and (exact or _near(shown, printed)):
        return ""
    return f"{sample.block.place} shows\n{sample.block.text}\nbut now it prints\n{sample.printed}"


def _part(text: str, only: str) -> str:
    return "\n".join(re.findall(only, text, re.MULTILINE)) if only else text.strip()


def _plain(text: str, exact: bool) -> str:
    for pattern, stands_for in VARIES:
        text = pattern.sub(stands_for, text)
    return text if exact else NUMBER.sub("NUMBER", text)


def _near(shown: str, printed: str) -> bool:
    """Tell whether each number of two texts is near that of the other; both have as many."""
    numbers = (map(float, NUMBER.findall(_plain(text, exact=True))) for text in (shown, printed))
    pairs = zip(*numbers, strict=True)
    return all(math.isclose(*pair, rel_tol=RELATIVE, abs_tol=ABSOLUTE) for pair in pairs)


def this_machine() -> str:
    """Return the digest of what decides bits on this machine."""
    return Numerics(threads=1, device="cpu").digest()


def is_the_samples_machine() -> bool:
    """Tell whether bits here are those of the machine that the samples come from."""
    return bool(json.loads(RECORD.read_text())["numerics"] == this_machine())


def record() -> None:
    """Write down which machine the samples are from, and how many blocks are not run."""
    skipped = sum(block.does == "not run" for page in PAGES for block in blocks(page))
    RECORD.write_text(json.dumps({"not_run": skipped, "numerics": this_machine()}, indent=2) + "\n")


def renew(page: str) -> None:
    """Run a page and write what its commands print now into it."""
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "me"
        home.mkdir()
        try:
            for sample in perform(page, Terminal(home)):
                samples.append(sample)
        finally:
            _write(page, samples)


def _write(page: str, samples: Sequence[Sample]) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    for sample in reversed(samples):
        first = sample.block.line
        old = sample.block.text.splitlines()
        if lines[first : first + len(old)] != old:
            raise RuntimeError(f"{sample.block.place} was edited meanwhile; run the page again")
        lines[first : first + len(old)] = sample.printed.splitlines()
    (ROOT / page).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main(pages: Sequence[str]) -> None:
    """Write the samples of some pages anew, or of all."""
    for page in pages or PAGES:
        print(page, flush=True)
        renew(page)
    record()


if __name__ == "__main__":
    main(sys.argv[1:])
