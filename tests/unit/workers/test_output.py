"""What a fold prints is kept whole, and shown in whole lines up to a limit."""

import os
import subprocess
import sys

from foldproof.tasks.workers.output import (
    MAX_LINE_CHARS,
    OutputReader,
    captured_output,
    output_path,
)

PRINTS = """
import os, sys, warnings
from pathlib import Path
from foldproof.tasks.workers.output import captured_output
print("before")
with captured_output(Path(sys.argv[1])):
    print("from Python")
    os.write(1, b"from C\\n")
    warnings.warn("odd")
    print("no end of line", end="")
print("after")
"""


def test_everything_that_a_fold_prints_is_kept_and_nothing_else(tmp_path):
    path = tmp_path / "kept"
    command = [sys.executable, "-c", PRINTS, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "before\nafter\n"
    assert ended.stderr == ""
    lines = path.read_text().splitlines()
    assert lines[0] == "from Python"
    assert lines[1] == "from C"
    assert "UserWarning: odd" in lines[2]
    assert lines[-1].endswith("no end of line")


def test_a_silent_fold_leaves_no_file(tmp_path):
    with captured_output(tmp_path / "kept"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_reads_output_stays_where_it_was(tmp_path, capfd):
    with captured_output(output_path(tmp_path, "key", 1)):
        os.write(1, b"seen\n")
    assert capfd.readouterr().out == "seen\n"
    assert list(tmp_path.iterdir()) == []


def test_a_line_is_shown_once_it_is_whole(tmp_path):
    path = tmp_path / "kept"
    reader = OutputReader(path)
    assert reader.lines(ended=False) == []
    path.write_text("one\ntw")
    assert reader.lines(ended=False) == ["one"]
    path.write_text("one\ntwo\n\nthree")
    assert reader.lines(ended=False) == ["two"]
    assert reader.lines(ended=True) == ["three"]
    assert reader.lines(ended=True) == []


def test_lines_past_the_limit_are_counted(tmp_path):
    path = tmp_path / "kept"
    path.write_text("".join(f"{i}\n" for i in range(30)))
    reader = OutputReader(path, most=20)
    assert reader.lines(ended=False) == [str(i) for i in range(20)]
    path.write_text("".join(f"{i}\n" for i in range(35)))
    assert reader.lines(ended=True) == ["... 15 more lines"]


def test_long_lines_bytes_that_are_no_text_and_progress_bars_do_no_harm(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(b"x" * 3_000_000 + b"\n1/3\r2/3\r3/3\n\xff\xfe\n")
    lines = OutputReader(path).lines(ended=True)
    assert max(map(len, lines)) == MAX_LINE_CHARS
    assert lines[-2] == "3/3"
    assert len(lines[-1]) == 2
