"""The pages of reports, comparisons and audits in a real browser, on narrow and wide screens."""

import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.audit.causes import all_causes
from foldproof.tasks.audit.folder import render as audit_page
from foldproof.tasks.audit.table import Comparison
from foldproof.tasks.comparison.models import read_models
from foldproof.tasks.comparison.page import render as comparison_page
from foldproof.tasks.comparison.tables import compare_tables
from foldproof.tasks.config.data import DataSpec
from tests.support.needs import need
from tests.support.reports import CLASSIFIER, REGRESSOR, finish

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
PICTURES = Path(os.environ.get("FOLDPROOF_PICTURES", tempfile.gettempdir()))
LONG = "a_label_without_any_space_that_is_longer_than_a_small_screen_is_wide"
METRICS = ["roc_auc", "sensitivity", "specificity"]


def fails_once(_: int, fold: int) -> str | None:
    """Let the second fold fail with a text that has no place to break."""
    return f"ValueError: {LONG * 3}" if fold == 1 else None


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each kind, of binary data whose labels, settings and errors are long."""
    out = tmp_path_factory.mktemp("pages")
    features = [[float(i % 7), float(i % 5)] for i in range(60)]
    data = DataSpec.from_arrays(features, [LONG, "control"] * 30)
    given: dict[str, Any] = {"data": data, "metrics": METRICS}
    whole = finish(out, **given)
    weak = {"builder": CLASSIFIER["builder"], "params": {"max_iter": 1000, "C": 0.001}}
    holes = finish(out, fails_once, model=weak, **given)
    digits = finish(out, data={"source": "digits"})
    numbers = finish(out, data={"source": "diabetes"}, model=REGRESSOR)
    models = read_models([whole.path, holes.path])
    compared: dict[str, Any] = {"compared_with": "repeat", "metric": "roc_auc"}
    rows = [
        Comparison(
            "own.module:build", 0, 0, cause.name, title=cause.title, done="x " * 90, **compared
        )
        for cause in all_causes(1, onednn=True)
    ]
    texts = {
        "report": (whole.path / "report.html").read_text(),
        "incomplete": (holes.path / "report.html").read_text(),
        "multiclass": (digits.path / "report.html").read_text(),
        "regression": (numbers.path / "report.html").read_text(),
        "comparison": comparison_page(models, compare_tables(models)),
        "audit": audit_page(rows, f"fold 0/0; positive {LONG!r}", whole.run.key),
    }
    for name, text in texts.items():
        (out / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (out / f"{name}.html").as_uri() for name in texts}


SCREENS = list(itertools.product((360, 1400), ("light", "dark")))
REPORTS = ("report", "incomplete", "multiclass", "regression")
CONTRASTS = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92
                                        : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = node => {
    for (let each = node; each; each = each.parentElement) {
      const found = parse(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const isShown = !["title", "desc"].includes(node.tagName.toLowerCase());
    if (!isShown || !walker.currentNode.data.trim()) continue;
    const style = getComputedStyle(node);
    const ink = parse(node.closest("svg") ? style.fill : style.color);
    const [one, other] = [light(ink), light(behind(node))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5)
      low.push([walker.currentNode.data.trim(), style.fill, style.color]);
  }
  return low;
}"""
UNNAMED = """() => [...document.querySelectorAll("svg")].filter(svg => {
  const ids = (svg.getAttribute("aria-labelledby") || "").split(" ");
  const words = ids.map(id => document.getElementById(id)?.textContent || "").join("");
  return svg.getAttribute("role") !== "img" || !(svg.getAttribute("aria-label") || words.trim());
}).length"""


@pytest.fixture(scope="module")
def browser():
    """A real browser."""
    need(Path(CHROMIUM).exists(), "chromium")
    from playwright.sync_api import sync_playwright

    options = ["--headless", "--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


def test_no_page_is_wider_than_a_small_screen(pages, browser):
    for width in (360, 1400):
        page = browser.new_page(viewport={"width": width, "height": 900})
        for name, address in pages.items():
            page.goto(address)
            found = page.evaluate("document.documentElement.scrollWidth")
            assert found <= width, (name, found)
        page.close()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_can_be_read_on_any_screen(pages, browser, width, scheme):
    """No error, no request, text with contrast, figures with words."""
    screen = {"width": width, "height": 800}
    page = browser.new_page(viewport=screen, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    for name, address in pages.items():
        page.goto(address)
        assert page.evaluate(CONTRASTS) == [], name
        assert page.evaluate(UNNAMED) == 0, name
        page.screenshot(path=str(PICTURES / f"page-{name}-{width}-{scheme}.png"), full_page=True)
    assert said == []
    assert asked == list(pages.values())
    page.close()


def test_the_interval_is_on_the_first_screen_of_a_phone(pages, browser):
    page = browser.new_page(viewport={"width": 360, "height": 640})
    for name in set(REPORTS) - {"incomplete"}:
        page.goto(pages[name])
        lead = page.locator(".lead")
        assert "95 % interval" in lead.inner_text()
        box = lead.bounding_box()
        assert box["y"] + box["height"] < 640, name
        assert box["x"] + box["width"] <= 360
    page.close()


def test_a_print_is_light_and_whole(pages, browser, tmp_path):
    page = browser.new_page(color_scheme="dark")
    for name in REPORTS:
        page.goto(pages[name])
        page.emulate_media(media="print")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert page.evaluate(CONTRASTS) == [], name
        page.pdf(path=str(tmp_path / f"{name}.pdf"), format="A4")
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        page.emulate_media(media="screen")
    page.close()
