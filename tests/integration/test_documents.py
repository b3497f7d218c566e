"""README and docs/ say what is: links, settings, commands, names, and what each block is for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from foldproof.__main__ import COMMANDS
from foldproof.tasks.cli.completion import PARSERS
from foldproof.tasks.common.places import ROOT
from foldproof.tasks.common.version import VERSION
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.config.types import Section
from tests.support.documents import (
    PAGES,
    RECORD,
    Block,
    Sample,
    Terminal,
    blocks,
    difference,
)

LINKED = (*PAGES, "SECURITY.md", "deployments/README.md")
BLOCKS = [block for page in PAGES for block in blocks(page)]
MOST_LINES = 250
LINK = re.compile(r"\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \|", re.MULTILINE)
PATH = re.compile(r"`((?:tasks|flows|deployments|docs|tests|\.github|\.ci)/[\w./-]*)`")
NAME_IN_FILE = re.compile(r"`(tasks/[\w/]+\.py)` \(`(\w+)`\)")
DOES = {
    "file",
    "run",
    "output of the command above",
    "errors of the command above",
    "output of",
    "settings",
    "not run",
}


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The headings of a page as a code host links them."""
    titles = re.findall(r"^#+ (.+)$", prose_of(str(page)), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in plain}


def settings(section: type[Section], prefix: str = "") -> Iterator[tuple[str, object]]:
    """The name and default of every setting, those of sections within sections as well."""
    for name, field in section.model_fields.items():
        if isinstance(field.default, Section):
            yield from settings(type(field.default), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.default


def test_the_readme_is_short_and_shows_a_report_on_its_first_screen() -> None:
    lines = text_of("README.md").splitlines()
    assert len(lines) <= MOST_LINES
    assert any("docs/images/report.png" in line for line in lines[:20])


@pytest.mark.parametrize("page", LINKED)
def test_links_lead_somewhere(page: str) -> None:
    lost = []
    for link in LINK.findall(prose_of(page)):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        there = target.exists() and (not anchor or anchor in anchors(target))
        lost += [] if there else [link]
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_the_readme_leads_to_every_page(page: str) -> None:
    index = text_of("README.md") + text_of("docs/clusters.md")
    assert page == "README.md" or f"({page})" in index or f"({Path(page).name})" in index


@pytest.mark.parametrize("page", PAGES)
def test_named_files_are_there(page: str) -> None:
    assert [path for path in PATH.findall(text_of(page)) if not (ROOT / path).exists()] == []


def test_named_functions_are_there() -> None:
    named = NAME_IN_FILE.findall(text_of("docs/architecture.md"))
    assert len(named) > 3
    assert [name for path, name in named if f"def {name}(" not in text_of(path)] == []


def test_every_package_has_its_line_in_the_architecture() -> None:
    packages = {path.parent.name for path in (ROOT / "tasks").glob("*/__init__.py")}
    listed = re.findall(r"^\| `(\w+)` \|", text_of("docs/architecture.md"), re.MULTILINE)
    assert set(listed) == packages


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    rows = dict(ROW.findall(text_of("docs/configuration.md")))
    wrong = {}
    for name, default in settings(Study):
        shown = rows.get(name, "not listed").strip("`")
        if yaml.safe_load(shown) != default:
            wrong[name] = (shown, default)
    assert wrong == {}


def test_every_flag_is_named() -> None:
    names = {name for name, _ in settings(Study)} | {"help"}
    prose = "".join(map(text_of, PAGES))
    for parser in PARSERS.values():
        flags = {
            o.removeprefix("--") for a in parser()._actions for o in a.option_strings if "--" in o
        }
        sections = {flag for flag in flags if any(name.startswith(f"{flag}.") for name in names)}
        missing = [flag for flag in flags - names - sections if f"`--{flag}" not in prose]
        assert missing == []


def test_named_commands_are_there() -> None:
    text = "".join(map(text_of, PAGES))
    named = set(re.findall(r"(?:^|`|\$\()foldproof (\w+)", text, re.MULTILINE))
    assert named - set(COMMANDS) == set()
    assert set(COMMANDS) <= named
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE))
    assert named == set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_says_what_is_done_with_it(block: Block) -> None:
    if block.language == "mermaid":
        return
    assert block.does in DOES
    if block.does == "not run":
        assert len(block.what.split()) > 3, "the reason"
    if block.does == "settings" or (block.does == "file" and block.what.endswith(".yaml")):
        parse_study(yaml.safe_load(block.text))


def test_as_many_blocks_are_not_run_as_are_recorded() -> None:
    skipped = [block.place for block in BLOCKS if block.does == "not run"]
    assert len(skipped) == json.loads(RECORD.read_text())["not_run"], skipped


def test_what_is_made_for_others_agrees() -> None:
    assert yaml.safe_load(text_of("CITATION.cff"))["version"] == VERSION
    steps = yaml.safe_load(text_of(".github/workflows/ci.yml"))["jobs"]["test"]["steps"]
    assert steps[-1] == {"run": ".ci/run"}


@pytest.mark.parametrize(
    ("shown", "printed", "same", "near"),
    [
        ("auc 0.9951 of 10", "auc 0.9951 of 10", True, True),
        ("auc 0.9951 of 10", "auc 0.9940 of 10", False, True),
        ("auc 0.9951 of 10", "auc 0.8500 of 10", False, False),
        ("auc 0.9951 of 10", "auc 0.9951 of 9", False, False),
        ("auc 0.9951", "auc", False, False),
        ("took 12.5 s", "took 7 s", True, True),
        (
            "report: /home/me/reports/runs/0123456789ab",
            "report: /x/reports/runs/ab0123456789",
            True,
            True,
        ),
        ("p  0.5", "p 0.5", True, True),
    ],
)
def test_what_may_differ_is_little(shown: str, printed: str, same: bool, near: bool) -> None:
    sample = Sample(Block("page", 1, "output of", "command", "", "text", shown), printed)
    assert (difference(sample, True) == "") is same
    assert (difference(sample, False) == "") is near


def test_a_terminal_keeps_where_it_is_and_what_was_set(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home")
    terminal.home.mkdir()

    def bash(text: str) -> Block:
        return Block("page", 1, "run", "", "", "sh", text)

    assert (
        terminal.run(bash("mkdir -p ~/a\ncd ~/a\nexport WORD='two words'\nfalse\necho on")).code
        == 1
    )
    assert terminal.run(bash('pwd; echo "$WORD"')).out == f"{terminal.home}/a\ntwo words\n"
    python = Block("page", 1, "run", "", "", "python", "import os; print(os.getcwd())")
    assert terminal.shown(terminal.run(python).out) == "/home/me/a\n"
