"""Figures: the same bytes on every machine, and nothing that a page does not hold."""

import os
import re
import subprocess
import sys

import pytest

from foldproof.tasks.report.figures.canvas import picture, plain
from foldproof.tasks.report.figures.palette import BLUE, VARIABLES
from tests.support.pages import EVIL, Page
from tests.support.places import ROOT

STYLE = "font.size: 30\nlines.linewidth: 9\nsvg.hashsalt: mine\naxes.facecolor: red\n"
PRINTED = (
    "from foldproof.tasks.report.figures.canvas import picture\n"
    "def draw(ax):\n"
    "    ax.plot([0, 1, 5], [2, 1, 3], 'o-', label='a line')\n"
    "    ax.set(xlabel='x', title='t')\n"
    "    ax.legend()\n"
    "print(picture('one', 'title', 'text', draw).svg)"
)


def draw(ax):
    ax.plot([0, 1, 5], [0.123456789, 1, 3], "o-", color=BLUE, label=plain(EVIL))
    ax.set_xlabel(plain("$x$ and $y^{"))
    ax.legend()


def svg(name="one", **more):
    return picture(name, "A title", f"Words {EVIL}.", draw, **more).svg


def printed(**variables):
    command = [sys.executable, "-c", PRINTED]
    environment = {**os.environ, **variables}
    ended = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    return ended.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"MPLBACKEND": "pdf", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"},
        {"SOURCE_DATE_EPOCH": "1"},
    ],
)
def test_no_setting_of_the_machine_enters(tmp_path, variables):
    (tmp_path / "matplotlibrc").write_text(STYLE)
    assert printed(**variables, MPLCONFIGDIR=str(tmp_path)) == printed()


def test_a_users_own_settings_are_left_as_they_are():
    import matplotlib

    with matplotlib.rc_context({"font.size": 33}):
        first = svg()
        assert matplotlib.rcParams["font.size"] == 33
    assert svg() == first


def test_it_is_well_formed_and_its_words_are_text():
    text = svg()
    page = Page(f"<body>{text}</body>")
    assert "script" not in page.tags
    assert not {"style", "metadata"} & set(page.tags)
    assert EVIL in page.text
    assert "A title" in page.text
    assert not re.search(r"https?://|xlink|<!--", text)


def test_ids_are_the_figures_own_and_all_are_used():
    text = svg("own")
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("own-") for name in ids)
    used = {*re.findall(r'href="#([^"]+)"', text), *re.findall(r"url\(#([^)]+)\)", text)}
    assert used <= set(ids)
    assert set(ids) - used == {"own-title", "own-text"}


def test_colours_are_variables():
    text = svg()
    assert "var(--blue)" in text
    assert not [colour for colour in VARIABLES if colour in text]
    assert not re.search(r"#[0-9a-f]{6}\b", text)


def test_coordinates_are_short_and_texts_are_whole():
    text = svg()
    assert not re.search(r' (d|x|y|transform)="[^"]*\.\d\d', text)
    assert re.search(r">0\.5<|>1\.0<", text)


def test_axes_stand_below_each_other():
    both = picture("two", "Two", "Words.", [draw, draw], height=5).svg
    assert both.count("and $y^{") == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a$b$", r"a\$b\$"), ("x" * 40, "x" * 25 + "..."), ("a\nb\x00", "a?b?"), (3, "3")],
)
def test_texts_of_data_are_no_formulas(text, shown):
    assert plain(text) == shown
