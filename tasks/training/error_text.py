"""Say what failed in a fold in one line that is the same on every run and machine."""

import re
import sys

from foldproof.tasks.common.text import error_line, shortened
from foldproof.tasks.folds.outputs import UnfitOutput
from foldproof.tasks.training.trained_model import Diverged

# Error texts go into reports that must not differ between runs.
VARIABLE_PARTS = (
    (re.compile(r"0x[0-9a-fA-F]+"), "0x..."),
    (re.compile(r"(['\"])/(?:[^'\"/]+/)+([^'\"/]+)\1"), r"\1\2\1"),  # quoted: may hold spaces
    (re.compile(r"(?<![\w./])(?:/[\w.+@-]+)+/([\w.+@-]+)"), r"\1"),
    (re.compile(r"\btmp[a-z0-9_]{8}\b"), "tmp..."),  # what Python's tempfile makes up
    (re.compile(r"\bfoldproof-([a-z]+-|\d+-)?[a-z0-9_]{8}\b"), "foldproof-..."),  # our own
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?\b"), "<time>"),
    (re.compile(r"\bpid[ =:]*\d+", re.IGNORECASE), "pid"),
)
MAX_CHARS = 500


def describe_failure(error: BaseException) -> str:
    """Return an error's type and message without pid, path, address or time."""
    own = isinstance(error, Diverged | UnfitOutput)
    text = " ".join(str(error).split()) if own else error_line(error)
    for pattern, replacement in VARIABLE_PARTS:
        text = pattern.sub(replacement, text)
    text = text.encode(errors="replace").decode()  # half a surrogate pair fits no file
    return shortened(text, MAX_CHARS)


def is_exhausted(error: BaseException) -> bool:
    """Return whether a worker ran out of memory, so that a fresh one may succeed."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError):
        return True
    return isinstance(error, MemoryError)
