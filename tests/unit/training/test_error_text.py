import pytest

from foldproof.tasks.folds.outputs import UnfitOutput
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.training.error_text import MAX_CHARS, describe_failure, is_exhausted
from foldproof.tasks.training.trained_model import Diverged


def test_a_users_error_shows_its_type():
    assert describe_failure(ValueError("bad units")) == "ValueError: bad units"
    assert describe_failure(KeyError("x")) == "KeyError: 'x'"
    assert describe_failure(RuntimeError()) == "RuntimeError"


@pytest.mark.parametrize("kind", [Diverged, UnfitOutput])
def test_our_own_findings_speak_for_themselves(kind):
    assert describe_failure(kind("the loss is NaN")) == "the loss is NaN"


def test_lines_become_one():
    assert describe_failure(ValueError("one\n  two\tthree\r\n")) == "ValueError: one two three"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<Layer object at 0x7f3a10bc>", "<Layer object at 0x...>"),
        ("cannot read /home/ann/project/data.csv now", "cannot read data.csv now"),
        ("cannot read /scratch/data.csv", "cannot read data.csv"),
        ("no '/home/ann/my data/x y.csv' there", "no 'x y.csv' there"),
        ('File "/srv/app/model.py", line 3', 'File "model.py", line 3'),
        ("left /scratch/tmpab12cd_x behind", "left tmp... behind"),
        ("left /var/scratch/foldproof-4711-x1y2z3_4 behind", "left foldproof-... behind"),
        ("no foldproof-12-abcdefgh/data", "no foldproof-.../data"),
        ("in foldproof-verify-x1y2z3_4", "in foldproof-..."),
        ("at 2024-05-01 12:30:59.123456 it broke", "at <time> it broke"),
        ("at 2024-05-01T12:30:59,123 it broke", "at <time> it broke"),
        ("worker pid=4711 died", "worker pid died"),
        ("worker PID: 4711 died", "worker pid died"),
        ("process with pid 4711", "process with pid"),
    ],
)
def test_what_differs_between_runs_is_taken_out(text, shown):
    assert describe_failure(RuntimeError(text)) == f"RuntimeError: {shown}"


def test_a_folder_that_a_run_makes_is_taken_out():
    scratch = make_scratch()
    remove_scratch(scratch)
    assert describe_failure(OSError(f"left {scratch.name} behind")) == (
        "OSError: left foldproof-... behind"
    )


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/a/b/c.html",
        "expected shape (3, 4), found (4, 3)",
        "loss/accuracy is 1/2",
        "layer block/conv/kernel has no weights",
        "file ./models/net.py",
        "rapid 4 and pid",
        "see foldproof-4711 and foldproof-notes",
    ],
)
def test_what_does_not_differ_stays(text):
    assert describe_failure(RuntimeError(text)) == f"RuntimeError: {text}"


def test_a_long_text_is_cut():
    shown = describe_failure(ValueError("x" * 2000))
    assert len(shown) == MAX_CHARS
    assert shown.endswith("x...")


def test_a_text_that_no_file_can_hold_is_mended():
    shown = describe_failure(ValueError("name \udcff of a file"))
    assert shown == "ValueError: name ? of a file"


def test_memory_is_what_a_fresh_worker_may_have_more_of():
    assert is_exhausted(MemoryError())
    assert not is_exhausted(ValueError())
