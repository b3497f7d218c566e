"""The pages of reports, comparisons and audits in a real browser, on narrow and wide screens."""

import shutil
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
from tests.support.reports import CLASSIFIER, finish

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
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
        "comparison": comparison_page(models, compare_tables(models)),
        "audit": audit_page(rows, f"fold 0/0; positive {LONG!r}", whole.run.key),
    }
    for name, text in texts.items():
        (out / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (out / f"{name}.html").as_uri() for name in texts}


def test_no_page_is_wider_than_a_small_screen(pages):
    need(Path(CHROMIUM).exists(), "chromium")
    from playwright.sync_api import sync_playwright

    options = ["--headless", "--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        for width in (400, 1400):
            page = browser.new_page(viewport={"width": width, "height": 900})
            for name, address in pages.items():
                page.goto(address)
                found = page.evaluate("document.documentElement.scrollWidth")
                assert found <= width, (name, found)
        browser.close()
