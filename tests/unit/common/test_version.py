"""The guard of the results version sees what can change results, and nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.common.version import RESULTS_VERSION
from tests.results.__main__ import main
from tests.results.code import DECIDES, LEFT_OUT, code_digest, listed_as, module_name
from tests.results.golden import OF_FOLDS, RUNS, Golden, Kind, differences
from tests.results.record import VERSIONS, Record, problem
from tests.results.renew import Unproved, check_provable, renewed

HOLDOUT = Path("tasks", "folds", "split", "holdout.py")
FOLD = dict.fromkeys(OF_FOLDS, "a")
RUN = {"folds": [FOLD], "scores_sha256": "b", "metrics_sha256": "c"}
HERE = Kind({"python": "3.11"}, {"a run": RUN})
OTHER = Kind({"python": "3.13"}, {"a run": RUN | {"scores_sha256": "x"}})
KNOWN = Golden("0.2.0", (HERE,))
BEFORE, CHANGED, RAISED = Record("0.2.0", "a"), Record("0.2.0", "b"), Record("0.10.0", "b")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout whose record is that of its code."""
    for folder in ("tasks", "tests/results"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    Record.of(tmp_path).write(tmp_path)
    return tmp_path


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, f"{path} has not one {before!r}"
    path.write_text(text.replace(before, after))


def test_the_code_that_decides_results_is_that_of_the_record_or_the_version_was_raised() -> None:
    assert problem(ROOT) == ""
    assert Record.of(ROOT).results_version == RESULTS_VERSION


def test_every_package_is_listed_and_all_that_is_listed_exists() -> None:
    tasks = ROOT / "tasks"
    names = {module_name(path, tasks) for path in tasks.rglob("*.py")} - {""}
    assert [name for name in sorted(names) if not listed_as(name)] == []
    assert [name for name in (*DECIDES, *LEFT_OUT) if name not in names] == []
    assert not DECIDES.keys() & LEFT_OUT.keys()


@pytest.mark.parametrize(
    ("module", "before", "after"),
    [
        (HOLDOUT, "if len(values) < 2:", "if len(values) < 3:"),
        (HOLDOUT, '"plain": "ShuffleSplit"', '"plain": "StratifiedShuffleSplit"'),
        (HOLDOUT, "return np.sort(train), np.sort(held_out)", "return train, held_out"),
        (Path("tasks", "models.py"), "dropout: float = 0.2", "dropout: float = 0.3"),
        (Path("tasks", "config", "study.py"), "seed: Int = Field(1337", "seed: Int = Field(1338"),
    ],
)
def test_another_constant_or_statement_has_to_be_accounted_for(
    checkout: Path, module: Path, before: str, after: str
) -> None:
    edit(checkout / module, before, after)
    assert "raise RESULTS_VERSION in tasks/common/version.py" in problem(checkout)
    assert "`make results`" in problem(checkout)
    Record.of(checkout).write(checkout)
    assert problem(checkout) == ""


def test_a_raised_version_accounts_for_any_change_and_a_lower_one_for_none(checkout: Path) -> None:
    edit(checkout / HOLDOUT, "if len(values) < 2:", "if len(values) < 3:")
    line = f'RESULTS_VERSION = "{RESULTS_VERSION}"'
    edit(checkout / VERSIONS, line, 'RESULTS_VERSION = "99.0.0"')
    assert problem(checkout) == ""
    edit(checkout / VERSIONS, '"99.0.0"', '"0.0.9"')
    assert problem(checkout).endswith(f"but was {RESULTS_VERSION}: it only goes up")


def test_docstrings_comments_and_descriptions_do_not_count(checkout: Path) -> None:
    before = code_digest(checkout)
    edit(checkout / HOLDOUT, '"""Split a fold\'s training rows', '"""Cut them')
    edit(checkout / HOLDOUT, "    values, of_row, counts", "    # why\n    values, of_row, counts")
    edit(checkout / HOLDOUT, '"""The holdout of early stopping: which', '"""Which')
    study = checkout / "tasks" / "config" / "study.py"
    study.write_text(study.read_text().replace('description="', 'description="So: '))
    assert code_digest(checkout) == before
    assert problem(checkout) == ""


def test_a_version_of_the_package_does_not_count(checkout: Path) -> None:
    text = (checkout / VERSIONS).read_text()
    (checkout / VERSIONS).write_text(text.replace("\nVERSION = ", '\nVERSION = "9.9.9"  # '))
    assert problem(checkout) == ""


def test_where_a_module_or_function_lies_does_not_count(checkout: Path) -> None:
    before, folds = code_digest(checkout), checkout / "tasks" / "folds"
    (folds / "inner").mkdir()
    (checkout / HOLDOUT).rename(folds / "inner" / "rows_held_out.py")
    for path in (checkout / "tasks").rglob("*.py"):
        text = path.read_text()
        path.write_text(
            text.replace("folds.split.holdout import", "folds.inner.rows_held_out import")
        )
    assert code_digest(checkout) == before
    moved = folds / "inner" / "rows_held_out.py"
    head, mark, last = moved.read_text().partition("def _hold_out_last_groups(")
    ours = "from foldproof.tasks.folds.inner.groups import _hold_out_last_groups\n"
    moved.write_text(head.replace("import math\n", f"import math\n{ours}"))
    imports = "import math\nimport numpy as np\nfrom numpy.typing import NDArray\n"
    (folds / "inner" / "groups.py").write_text(f'"""Groups."""\n\n{imports}{ours}{mark}{last}')
    assert code_digest(checkout) == before
    (folds / "inner" / "groups.py").unlink()
    assert code_digest(checkout) != before


def test_a_library_that_a_name_comes_from_counts(checkout: Path) -> None:
    before = code_digest(checkout)
    edit(
        checkout / HOLDOUT,
        "from sklearn import model_selection",
        "from other import model_selection",
    )
    other = code_digest(checkout)
    edit(checkout / HOLDOUT, "import math\n", "import cmath as math\n")
    assert len({before, other, code_digest(checkout)}) == 3


def test_what_is_left_out_may_change(checkout: Path) -> None:
    page = checkout / "tasks" / "report" / "page.py"
    page.write_text(page.read_text() + "\nMORE = 1\n")
    assert problem(checkout) == ""


def test_the_same_bits_renew_the_record_and_others_do_not() -> None:
    assert renewed(BEFORE, CHANGED, KNOWN, HERE) == KNOWN
    with pytest.raises(Unproved, match=r"results changed; .*\n  a run: scores_sha256"):
        renewed(BEFORE, CHANGED, KNOWN, replace(OTHER, numerics=HERE.numerics))
    assert renewed(BEFORE, RAISED, KNOWN, OTHER) == Golden("0.10.0", (OTHER,))


def test_another_kind_of_processor_is_added_with_the_recorded_code_only() -> None:
    assert renewed(BEFORE, BEFORE, KNOWN, OTHER) == Golden("0.2.0", (HERE, OTHER))
    with pytest.raises(Unproved, match="nothing of this kind of processor") as refused:
        check_provable(BEFORE, CHANGED, None)
    assert "\n" not in str(refused.value)
    check_provable(BEFORE, RAISED, None)
    with pytest.raises(Unproved, match="only goes up"):
        check_provable(RAISED, BEFORE, HERE)


def test_make_results_says_in_one_line_why_it_proves_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Golden(RESULTS_VERSION).write(checkout)
    edit(checkout / HOLDOUT, "if len(values) < 2:", "if len(values) < 3:")
    record = Record.read(checkout)
    assert main(checkout) == 1
    assert capsys.readouterr().err.splitlines() == [
        "make results: tests/results/golden.json holds nothing of this kind of processor with "
        "these libraries: run `make results` here on the commit that wrote "
        "tests/results/record.json to add it, then on this one"
    ]
    assert Record.read(checkout) == record


def test_the_first_difference_of_each_run_is_named() -> None:
    weights = RUN | {"folds": [FOLD | {"weights_sha256": "z"}], "metrics_sha256": "z"}
    found = Kind(HERE.numerics, {"a run": weights, "more": RUN})
    assert list(differences(HERE, found)) == [
        "a run: weights_sha256 in row 0 of folds.parquet",
        "a run: metrics_sha256",
        "more: no such run before",
    ]
    later = Kind(HERE.numerics, {"a run": RUN | {"metrics_sha256": "y"}}, 2)
    assert not list(differences(HERE, later))
    assert list(differences(replace(HERE, report_version=2), later)) == ["a run: metrics_sha256"]
    fewer = Kind(HERE.numerics, {"a run": RUN | {"folds": []}})
    assert list(differences(HERE, fewer)) == ["a run: 0 folds, not 1"]


def test_six_models_are_known_on_each_kind_of_processor() -> None:
    golden = Golden.read(ROOT)
    assert len(RUNS) == 6
    assert golden.kinds
    assert all(kind.runs.keys() == RUNS.keys() for kind in golden.kinds)
