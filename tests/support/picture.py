"""Take the picture that README shows: `python -m tests.support.picture REPORT_FOLDER`."""

import sys
from pathlib import Path

from foldproof.tasks.common.places import ROOT

CHROMIUM = "/usr/bin/chromium"
PICTURE = ROOT / "docs" / "images" / "report.png"
SIZE = {"width": 960, "height": 950}  # the main result, what was done, and the forest plot


def take(report: Path) -> None:
    """Write what a browser shows of a report's page."""
    from playwright.sync_api import ViewportSize, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=ViewportSize(**SIZE))  # type: ignore[typeddict-item]
        page.goto((report / "report.html").resolve().as_uri())
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
