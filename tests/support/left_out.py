"""Say at the end of a test run what it left out, and which command runs that."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

COMMANDS = {  # by the mark of what they run
    "long": "make test-long",
    "server": "make test-server",
    "browser": "make test-browser",
    "clusters": "make test-clusters",
    "documents": "make test-documents",
    "gpu": "make test-gpu",
}
LEFT_OUT = pytest.StashKey[Counter[str]]()
OUTPUT = "left_out"  # what a worker of xdist hands over at its end


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what is left out, by its mark."""
    if items:
        counts = items[0].config.stash.setdefault(LEFT_OUT, Counter())
        counts.update(mark for item in items for mark in COMMANDS if item.get_closest_marker(mark))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts over, in a worker of xdist."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        counts = session.config.stash.get(LEFT_OUT, None)
        output[OUTPUT] = dict(counts or {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of a worker; each has collected everything."""
    counts = getattr(node, "workeroutput", {}).get(OUTPUT)
    if counts:
        node.config.stash[LEFT_OUT] = Counter(counts)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say it, in one line."""
    line = told(config.stash.get(LEFT_OUT, Counter()), config.option.markexpr)
    if line:
        terminalreporter.write_line(line)


def told(counts: Counter[str], chosen: str) -> str:
    """Return the line; nothing where somebody chose a kind of tests, or all are run."""
    there = [mark for mark in COMMANDS if counts[mark] and f"not {mark}" in chosen]
    kinds = ", ".join(f"{counts[mark]} {mark}" for mark in there)
    return f"left out: {kinds}; {', '.join(COMMANDS[mark] for mark in there)}" if there else ""
