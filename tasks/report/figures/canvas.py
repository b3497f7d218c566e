"""Draw a figure as SVG for a page: the same bytes on every machine.

matplotlib's own defaults count, never the style, fonts or date of the machine. Ids begin with the
figure's name, colours become variables of the page, and text stays text.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from foldproof.tasks.report.figures.palette import GRID, INK, QUIET, VARIABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[["Axes"], object]

WIDTH, HEIGHT = 4.7, 3.5  # inches; 338 points wide, so that text is readable on a phone
LEFT, RIGHT, BOTTOM, TOP = 0.68, 0.14, 0.51, 0.14  # inches around the axes
BETWEEN = 0.5  # inches between axes
DATED = {"Date": None, "Creator": None, "Format": None, "Type": None}
OWN: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 9.5,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.6,
    "savefig.transparent": True,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
NOT_SET = (
    "backend",
    "interactive",
    "toolbar",
    "timezone",
    "webagg",
    "tk.",
    "macosx",
    "figure.hooks",
)


@dataclass(frozen=True)
class Picture:
    """A figure of a page.

    Attributes:
        name: of the figure, in ids.
        title: what it shows, in a few words.
        text: the same with its numbers, in sentences; the alternative for who does not see it.
        svg: the picture.
    """

    name: str
    title: str
    text: str
    svg: str


def picture(
    name: str,
    title: str,
    text: str,
    draw: Draw | Sequence[Draw],
    height: float = HEIGHT,
    left: float = LEFT,
) -> Picture:
    """Return a figure.

    Args:
        name: of the figure, of letters and digits.
        title: what it shows.
        text: its alternative.
        draw: draws onto axes; of several, each has its own, one below the other.
        height: of the figure, in inches.
        left: the room for names beside the axes, in inches.
    """
    draws = [draw] if callable(draw) else list(draw)
    drawn = _drawn(name, draws, height, left)
    return Picture(name, title, text, _page_svg(drawn, name, title, text))


def plain(text: object, most: int = 28) -> str:
    """Return a text of the data for matplotlib, which takes dollar signs for formulas."""
    line = "".join(c if c.isprintable() else "?" for c in str(text))
    short = line if len(line) <= most else f"{line[: most - 3]}..."
    return short.replace("$", r"\$")


def _drawn(name: str, draws: Sequence[Draw], height: float, left: float) -> str:
    import matplotlib  # here: what writes no page starts faster without it
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    kept: dict[Any, Any] = {
        k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(NOT_SET)
    }
    own: dict[Any, Any] = kept | OWN | {"svg.hashsalt": name}
    with matplotlib.rc_context(own), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that DejaVu has not are drawn by the browser
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        each = (height - BOTTOM - TOP + BETWEEN) / len(draws)
        for index, draw in enumerate(reversed(draws)):
            foot, width = BOTTOM + index * each, WIDTH - left - RIGHT
            across, up = (left / WIDTH, width / WIDTH), (foot / height, (each - BETWEEN) / height)
            draw(figure.add_axes((across[0], up[0], across[1], up[1])))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=DATED)
        return out.getvalue()


def _page_svg(text: str, name: str, title: str, words: str) -> str:
    """Return a figure as it stands within a page."""
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.S)
    inner = text[text.index("<svg") :].partition(">")[2]
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None
    for colour, variable in VARIABLES.items():
        inner = inner.replace(colour, f"var(--{variable})")
    used = set(re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', inner))
    kept = {one or other for one, other in used}
    inner = re.sub(r' id="([^"]*)"', lambda m: _id(m.group(1), name, kept), inner)
    inner = re.sub(r'xlink:href="#', f'href="#{name}-', inner)
    inner = re.sub(r"url\(#", f"url(#{name}-", inner)
    inner = re.sub(r' (d|x|y|transform|width|height)="[^"]*"', _rounded, inner)
    inner = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", inner)
    inner = re.sub(
        r"<defs>\s*</defs>|\s*\n\s*", lambda m: "" if m.group(0)[0] == "<" else " ", inner
    )
    head = (
        f'<svg viewBox="{box.group(1)}" role="img" aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-text">{escape(words)}</desc>'
    )
    return head + inner.strip()


def _id(found: str, name: str, kept: set[str]) -> str:
    return f' id="{name}-{found}"' if found in kept else ""


def _rounded(match: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda m: f"{float(m.group(0)):.1f}", match.group(0))
