"""Every block of README and docs/ runs as it stands, and prints what stands under it."""

from pathlib import Path

import pytest

from tests.support.documents import (
    PAGES,
    Terminal,
    blocks,
    difference,
    is_the_samples_machine,
    perform,
)

FIRST_PAGE = "README.md"  # runs as on a machine without a Prefect server
RUNNING = [
    pytest.param(page, marks=pytest.mark.long if page == FIRST_PAGE else pytest.mark.documents)
    for page in PAGES
    if any(b.does in ("run", "output of") for b in blocks(page))
]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", RUNNING)
def test_a_page_runs_as_it_stands(
    page: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home = tmp_path / "me"
    home.mkdir()
    shared = page != FIRST_PAGE
    api = {"PREFECT_API_URL": request.getfixturevalue("prefect_api")} if shared else {}
    exact = is_the_samples_machine()
    wrong = [difference(sample, exact) for sample in perform(page, Terminal(home, api))]
    assert "".join(wrong) == ""
