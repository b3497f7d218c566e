"""The Prefect UI as a person uses it: `make ui`, a real browser, a real worker, real runs."""

import os
import re
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.schedules import IntervalSchedule

from tests.support.live import (
    EAGER,
    Live,
    gated,
    stored,
)
from tests.support.needs import need
from tests.support.places import ROOT
from tests.support.prefect_home import made_home
from tests.support.processes import children, free_port, lives, seconds_until_gone, wait_for

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    "--disable-background-networking",
]
PICTURES = Path(os.environ.get("FOLDPROOF_PICTURES", tempfile.gettempdir()))
COUNTER = "https://sr-client-cfg.amplitude.com/"  # Prefect's page asks it, whatever the settings
PLOT = "[...document.images].some(each => each.src.startsWith('data:') && each.width > 99)"
SLOW = 60_000  # milliseconds


@dataclass
class Ui(Live):
    """What `make ui` has brought up, and the process that did."""

    process: Any = None


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Everything that `make ui` brings up."""
    port = free_port()
    made = Live(f"http://127.0.0.1:{port}/api", tmp_path_factory.mktemp("ui"))
    made_home(made.folder / "home")
    made.variables["PREFECT_API_URL"] = ""  # as on a machine where nothing is configured
    made.variables |= EAGER
    command = (sys.executable, str(ROOT / "deployments" / "ui.py"), str(port))
    with made.started("worker", *command) as process:
        wait_for(lambda: "ready:" in made.log("worker"), lambda: made.log("worker"))
        yield Ui(made.url, made.folder, made.variables, process=process)


@pytest.fixture
def page(live):
    """A browser's page, and a check that it asked no other host for anything."""
    need(Path(CHROMIUM).exists(), "chromium")
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        opened = browser.new_page(viewport={"width": 1400, "height": 1100})
        opened.set_default_timeout(SLOW)
        opened.route(f"{COUNTER}**", lambda route: route.abort())
        opened.on("request", lambda request: asked.append(request.url))
        yield opened
        browser.close()
    mine = (live.url.removesuffix("/api"), "data:", "blob:", COUNTER)
    assert [url for url in asked if not url.startswith(mine)] == []


def look(page, name: str) -> None:
    """Keep a picture of the page."""
    page.screenshot(path=str(PICTURES / f"foldproof-{name}.png"), full_page=True)


def submit(page) -> None:
    """Send a form; a page that still loads takes no notice of a click."""
    from playwright.sync_api import TimeoutError as NothingHappened

    for _ in range(3):
        page.get_by_role("button", name="Submit").click()
        try:
            return page.wait_for_url("**/deployments/deployment/**tab=**", timeout=20_000)
        except NothingHappened as error:
            last = error
    raise last


def test_a_run_from_the_form_to_its_artifacts(live, page):
    address = live.url.removesuffix("/api")
    page.goto(address)
    page.get_by_role("link", name="Deployments").first.click()
    page.get_by_role("link", name="cv-cpu").first.click()
    page.wait_for_url("**/deployments/deployment/**")
    page.get_by_role("button", name="Run", exact=True).first.wait_for()
    look(page, "deployment")
    page.get_by_role("button", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Custom run").click()
    page.wait_for_url("**/run**")
    page.get_by_role("tab", name="own builder").click()
    box(page, "Builder").locator("textarea").fill("sklearn.linear_model:LogisticRegression")
    fill(page, "Folder of results|out", str(live.folder / "form"))
    look(page, "form")
    submit(page)
    with live.client() as client:
        (run,) = [each.id for each in client.read_flow_runs() if not each.auto_scheduled]
    ended = live.ended(run)
    assert ended.state.is_completed(), live.log("worker")[-6000:]
    assert ended.parameters["model"]["builder"] == "sklearn.linear_model:LogisticRegression"
    page.goto(f"{address}/v2/runs/flow-run/{run}")
    page.get_by_text("Completed").first.wait_for()
    look(page, "run")
    open_artifact(page, "summary")
    page.get_by_role("cell", name="roc_auc").first.wait_for()
    page.get_by_role("cell", name=re.compile("Clopper-Pearson")).first.wait_for()
    look(page, "summary")
    page.goto(f"{address}/v2/runs/flow-run/{run}")
    open_artifact(page, "report")
    page.wait_for_function(
        "[...document.images].some(i => i.src.startsWith('data:') && i.width > 99)"
    )
    page.get_by_text(str(live.folder / "form")).first.wait_for()  # where the report lies
    look(page, "report")


def open_artifact(page, what: str) -> None:
    """Open one of the artifacts of the run that is shown."""
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text(f"logisticregression-breast-cancer-{what}").first.wait_for()
    look(page, "artifacts")
    page.get_by_text(f"logisticregression-breast-cancer-{what}").first.click()
    page.get_by_role("link", name=re.compile("^[0-9a-f]{8}$")).first.click()  # the newest
    page.wait_for_url("**/artifacts/artifact/**")


def fill(page, label: str, text: str) -> None:
    """Fill the box under a label that begins so."""
    page.get_by_label(re.compile(f"^({label})\\b")).first.fill(text)


FORMS = {"cv-cpu": "cross_validate", "compare": "compare", "verify": "verify"}
FILLED_IN = "input, textarea, button, [contenteditable=true]"


def open_form(live, page, name: str, design: str = "/v2") -> None:
    """Open the form of a deployment, in one of the two designs of Prefect's pages."""
    with live.client() as client:
        deployment = client.read_deployment_by_name(f"{FORMS[name]}/{name}")
    address = live.url.removesuffix("/api")
    page.goto(f"{address}{design}/deployments/deployment/{deployment.id}/run")
    page.get_by_role("button", name="Submit").wait_for()
    page.get_by_text("Parameters", exact=True).first.wait_for()


@pytest.mark.parametrize("name", FORMS)
def test_every_tab_of_every_box_can_be_filled_in_and_shows_words(live, page, name):
    open_form(live, page, name)
    page.get_by_text(re.compile("Seed|What must agree")).first.wait_for()
    tabs = page.get_by_role("tab").all()
    opened = [tab for tab in tabs if tab.inner_text() not in ("Now", "Later")]
    assert len(opened) == {"cv-cpu": 25, "compare": 23, "verify": 2}[name]
    for tab in opened:
        tab.click()
        panel = page.locator(f"id={tab.get_attribute('aria-controls')}")
        panel.locator(FILLED_IN).first.wait_for()
        assert "is type" not in panel.inner_text()
    look(page, f"form-{name}-other-tabs")
    for choice in page.locator("button[aria-label^=Select]").all():
        assert choice.inner_text().strip(), "a choice shows what is chosen, or Select"
    for words in ("None", "null", "dict", "list", "str", "int"):
        assert page.get_by_text(words, exact=True).count() == 0, words
    assert page.locator(FILLED_IN).count() > 0


@pytest.mark.parametrize("name", FORMS)
def test_the_older_design_of_the_page_draws_every_box_as_well(live, page, name):
    open_form(live, page, name, design="")
    page.get_by_text(re.compile("^(Seed|What must agree)")).first.wait_for()
    for tab in ("file or folder", "own builder", "own settings (JSON)", "by label (JSON)", "all"):
        for each in page.get_by_text(tab, exact=True).all():
            each.click()
    look(page, f"older-form-{name}")
    for words in ("None", "null", "dict", "list", "str", "int"):
        assert page.get_by_text(words, exact=True).count() == 0, words
    assert page.get_by_text("is type").count() == 0


def test_words_and_json_of_a_form_arrive_in_the_run(live, page):
    open_form(live, page, "cv-cpu")
    fill(page, "Epochs", "2")
    fill(page, "Folds", "2")
    fill(page, "Folder of results|out", str(live.folder / "words"))
    choose(page, "Early stopping", "on")
    page.get_by_role("tab", name="by label (JSON)").click()
    type_json(page, 1, '{"malignant": 2, "benign": 1}')
    type_json(page, 2, '{"train": {"loss": "mse"}}')
    look(page, "form-filled")
    before = runs_of_people(live)
    submit(page)
    (run,) = runs_of_people(live) - before
    ended = live.ended(run)
    assert ended.state.is_completed(), live.log("worker")[-6000:]
    train = ended.parameters["train"]
    assert train["early_stopping"] == "on"
    assert train["class_weight"] == {"malignant": 2, "benign": 1}
    assert ended.parameters["more"] == {"train": {"loss": "mse"}}
    assert re.match(r"roc_auc \d\.\d{3} .*2 of 2 folds; positive: 'malignant'", ended.state.message)
    page.goto(f"{live.url.removesuffix('/api')}/v2/runs/flow-run/{run}")
    page.get_by_role("tab", name="Details").click()
    page.get_by_text(ended.state.message).first.wait_for()
    assert page.get_by_text("State message: None").count() == 0
    look(page, "run-details")


def box(page, label: str):
    """Return the part of the form below a label, for boxes whose label names no input."""
    titled = page.locator("label").filter(has_text=re.compile(f"^{label}\\b"))
    return page.locator("div.group").filter(has=titled).last


def choose(page, label: str, value: str) -> None:
    """Choose from the list under a label."""
    box(page, label).get_by_text("off", exact=True).last.click()
    page.get_by_role("option", name=value, exact=True).click()


def type_json(page, number: int, text: str) -> None:
    """Type into one of the form's boxes of JSON, in place of what is there."""
    page.locator(".cm-content").nth(number).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def runs_of_people(live) -> set[Any]:
    """Return the runs that no schedule made."""
    with live.client() as client:
        return {each.id for each in client.read_flow_runs() if not each.auto_scheduled}


def test_a_comparison_asks_once_for_what_all_models_share(live, page):
    open_form(live, page, "compare")
    builders = page.locator("label").filter(has_text=re.compile(r"^Builder\b"))
    page.get_by_role("button", name="Add item").last.click()
    for number in range(3):
        builders.nth(number).wait_for()
    for once in ("Source", "Folds", "Seed", "Epochs"):
        titled = page.locator("label").filter(has_text=re.compile(rf"^{once}\b"))
        assert titled.count() == 1, once
    look(page, "comparison")


def test_a_schedule_starts_a_run_by_itself(live, page):
    soon = IntervalSchedule(
        interval=timedelta(days=30), anchor_date=datetime.now(UTC) + timedelta(seconds=40)
    )
    settings = {
        "data": {"source": "iris"},
        "model": {"builder": "sklearn.linear_model:LogisticRegression"},
        "split": {"n_splits": 3},
        "out": str(live.folder / "scheduled"),
    }
    with live.client() as client:
        deployment = client.read_deployment_by_name("cross_validate/cv-cpu")
        options = {"parameters": settings, "slug": "soon"}
        client.create_deployment_schedules(deployment.id, [(soon, True)], **options)

    def done():
        with live.client() as client:
            runs = client.read_flow_runs(
                flow_run_filter=FlowRunFilter(deployment_id={"any_": [deployment.id]})
            )
        return [run for run in runs if run.auto_scheduled and run.state.is_completed()]

    wait_for(done, lambda: live.log("worker"), 400)
    (run,) = done()
    page.goto(f"{live.url.removesuffix('/api')}/v2/runs/flow-run/{run.id}")
    page.get_by_text("Completed").first.wait_for()
    page.get_by_text(run.name).first.wait_for()
    look(page, "scheduled")


def test_ctrl_c_takes_all_of_it_down_in_mid_run(live):
    folder = live.folder / "stopped"
    folder.mkdir()
    live.run("cross_validate/cv-cpu", **gated(folder, free=1))
    wait_for(lambda: len(stored(folder)) == 1, lambda: live.log("worker"))
    everything = children(live.process.pid)
    assert sum(map(lives, everything)) >= 5  # server, worker, run, worker host, its workers
    live.process.send_signal(signal.SIGINT)
    live.process.wait(60)
    assert live.process.returncode == 0
    seconds_until_gone(everything)
