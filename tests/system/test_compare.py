"""The command and the flow that compare models, as a user runs them."""

import json
import signal
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from foldproof.tasks.cli.arguments import read_request
from foldproof.tasks.cli.compare import read_comparison
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.comparison.folder import write_comparison
from foldproof.tasks.comparison.models import read_models
from foldproof.tasks.comparison.tables import compare_tables
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.support.command import contents, run, run_warm
from tests.support.places import ROOT
from tests.support.processes import Ended, left_behind, wait_for
from tests.support.task_runs import ended_task_runs

pytestmark = pytest.mark.long

COMPARE = [sys.executable, str(ROOT / "flows" / "compare.py")]
FILES = {
    "plain.yaml": "model: sklearn.linear_model:LogisticRegression\n",
    "weak.yaml": """
model:
  builder: sklearn.linear_model:LogisticRegression
  params: {C: 0.001}
""",
    "frail.yaml": "model: frail:build\n",
    "slow.yaml": "model: {builder: 'frail:slow'}\n",
    "frail.py": """
import time
from sklearn.linear_model import LogisticRegression

class Frail(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        if len(X) == 426:
            raise ArithmeticError("cannot fit 426 rows")
        return super().fit(X, y)

class Slow(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        open("started", "w").close()
        time.sleep(600)

def build():
    return Frail()

def slow():
    return Slow()
""",
}
FOLDS = ("--split.n_splits", "4")


@pytest.fixture(scope="module")
def api(prefect_api):
    """The address of a real Prefect server."""
    return {"PREFECT_API_URL": prefect_api}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with studies and their builders; its output is shared by the tests."""
    here = tmp_path_factory.mktemp("compare")
    for name, text in FILES.items():
        (here / name).write_text(text)
    return here


def compare(*arguments: str, folder: Path, **variables: str) -> Ended:
    """Run compare.py in a folder with further environment variables."""
    return run_warm([*COMPARE, *arguments], folder, **variables)


@pytest.fixture(scope="module")
def three(folder, api) -> Ended:
    """Three models, of which the second one fails in a fold."""
    return compare("plain.yaml", "frail.yaml", "weak.yaml", *FOLDS, folder=folder, **api)


def test_models_are_run_ranked_and_tested(three, folder):
    assert three.code == 3
    report = Path(three.out.splitlines()[-1].removeprefix("report: "))
    assert report.parent == folder / "reports" / "comparisons"
    runs = json.loads((report / "manifest.json").read_text())["key"]["runs"]
    lines = three.out.splitlines()
    files = ("plain.yaml", "frail.yaml", "weak.yaml")
    assert lines[0].startswith("positive: 'malignant' (212 of 569), the larger label; ")
    assert lines[1:4] == [
        f"{i}  run {r}  {f}" for i, (r, f) in enumerate(zip(runs, files, strict=True), 1)
    ]
    assert lines[5].split() == ["roc_auc", "mean", "std", "interval", "folds", "rank"]
    assert "1 - 3  Nadeau-Bengio corrected t, J=4, n_train=426.75, n_test=142.25" in three.out
    assert "1 - 3  DeLong, pooled out-of-fold scores, J=4" in three.out
    assert "model 2 of 3: frail.yaml" in three.err
    for chatter in ("prefect", "Flow run", "WARNING"):
        assert chatter not in three.err + three.out


def test_a_model_that_fails_in_a_fold_is_told_of_and_compared_with_nobody(three):
    assert "frail.yaml:\nfold 0/0 failed: ArithmeticError: cannot fit 426 rows" in three.err
    assert three.err.count("Traceback (most recent call last)") == 1
    assert "2 is not ranked: a value in 3 of the 4 folds where a model has one" in three.out
    assert "INCOMPLETE: 1 of 12 folds failed" in three.out
    report = Path(three.out.splitlines()[-1].removeprefix("report: "))
    pairs = parquet.read_table(report / "comparison.parquet").to_pylist()
    tested = {(row["first_number"], row["second_number"]) for row in pairs if row["p"] is not None}
    assert tested == {(1, 3)}


STATES = """
from foldproof.flows.compare import compare


def state(*builders, **sections):
    studies = [{"model": {"builder": name}, "split": {"n_splits": 4}, **sections}
               for name in builders]
    found = compare(studies, return_state=True)
    print("STATE", found.type.value, found.message)


LINEAR, FRAIL = "sklearn.linear_model:LogisticRegression", "frail:build"
state(LINEAR, FRAIL)
state(LINEAR, FRAIL, seed=-1)
state(LINEAR, FRAIL, data={"source": "nowhere.csv", "target": "", "groups": None})
state(LINEAR)
state(LINEAR, "sklearn.naive_bayes:GaussianNB")
"""


def test_a_deployed_comparison_ends_in_a_state_that_tells_how_it_went(folder, api):
    """As Prefect's engine calls the flow: nobody launched it, and all there is is its state."""
    allowed = {"FOLDPROOF_ALLOWED_BUILDERS": "frail,sklearn", "PYTHONPATH": str(ROOT)}
    ended = run([sys.executable, "-c", STATES], folder, **allowed, **api)
    states = [line for line in ended.out.splitlines() if line.startswith("STATE")]
    incomplete, *others, complete = states
    assert incomplete.startswith("STATE FAILED INCOMPLETE: 1 of 8 folds failed; report: /")
    assert others == [
        "STATE FAILED study 1: seed: must be at least 0, not -1",
        "STATE FAILED study 1: data.source: no file or folder 'nowhere.csv'; check the path",
        "STATE FAILED studies: one alone cannot be compared; give two or more",
    ], ended.err
    assert complete.startswith(
        "STATE COMPLETED roc_auc: 1 sklearn.linear_model:LogisticRegression 0.99"
    )
    assert complete.endswith("; positive: 'malignant' (212 of 569)")
    assert "Flow run 'LogisticRegression, build on breast_cancer, 4 folds'" in ended.err


def test_another_comparison_takes_what_is_stored_and_its_bytes_follow_from_the_runs(
    three, folder, tmp_path, api
):
    files = [str(folder / name) for name in ("weak.yaml", "plain.yaml")]
    flags = ("--out", str(folder / "reports"), "--compute.workers", "1", "--quiet")
    ended = compare(*files, *FOLDS, *flags, folder=tmp_path, **api)
    assert (ended.code, ended.err) == (0, "")
    report = Path(ended.out.strip())
    runs = json.loads((report / "manifest.json").read_text())["key"]["runs"]
    paths = [folder / "reports" / "runs" / name for name in runs]
    for path, file in zip(paths, files, strict=True):
        cached = parquet.read_table(path / "execution.parquet")["cached"].to_pylist()
        assert cached == [True] * 4
        assert path.name == name_of_run(file)
    models = read_models(paths)
    again = write_comparison(models, compare_tables(models), tmp_path / "again")
    assert again.name == report.name
    assert contents(again) == contents(report)


def name_of_run(file):
    """Return the RUN_ID that cv.py would give a file's run."""
    request = read_request(["--config", file, *FOLDS])
    with launched(Run(request.study, Display("quiet"))) as alone:
        return run_id(alone.key)


def flow_runs(address):
    """Return the latest comparison's state, and the names of its tasks and subflows."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterParentFlowRunId,
    )
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.settings import PREFECT_API_URL, temporary_settings

    named = FlowFilter(name=FlowFilterName(any_=["compare"]))
    with temporary_settings({PREFECT_API_URL: address}), get_client(sync_client=True) as client:
        newest = FlowRunSort.START_TIME_DESC
        parent = client.read_flow_runs(flow_filter=named, sort=newest, limit=1)[0]
        tasks = ended_task_runs(client, parent.id, 4 + 2)  # its own, and one for each subflow
        below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[parent.id]))
        children = client.read_flow_runs(flow_run_filter=below)
    return parent, tasks, children


SCRIPT = """
import numpy as np
from foldproof.flows.compare import compare, compare_models
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.config.data import DataSpec

print("this script runs")

def net(input_shape):
    import keras
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(1, "sigmoid")])

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
y = np.where(X[:, 0] + rng.normal(size=60) > 0, "yes", "no")
base = {
    "data": DataSpec.from_arrays(X, y),
    "split": {"n_splits": 2},
    "train": {"epochs": 1},
    "metrics": ["roc_auc"],
}
models = (net, "sklearn.linear_model:LogisticRegression")
studies = [{**base, "model": model} for model in models]
result = compare_models(studies)
print(list(result.pairs.method))
print(list(result.models["rank"]), result.n_failed, result.n_folds)
again = compare([parse_study(study) for study in studies])
print(again.path == result.path)
"""


def test_a_net_and_an_estimator_from_a_script(tmp_path, api):
    """Two kinds of workers, no main guard; then the flow alone, as a deployment runs it."""
    (tmp_path / "script.py").write_text(SCRIPT)
    ended = run([sys.executable, "script.py"], tmp_path, **api)
    assert ended.code == 0, ended.err
    printed = [line for line in ended.out.splitlines() if "|" not in line]
    assert printed == [
        "this script runs",
        "['Nadeau-Bengio corrected t', 'Bayesian correlated t', "
        "'DeLong, pooled out-of-fold scores', 'paired bootstrap of rows']",
        printed[2],
        "True",
    ]
    assert printed[2] in ("[1, 2] 0 4", "[2, 1] 0 4")
    parent, tasks, children = flow_runs(api["PREFECT_API_URL"])
    assert parent.state_name == "Completed"
    assert [child.state_name for child in children] == ["Completed", "Completed"]
    assert {task.name for task in tasks} >= {"compare models", "write comparison"}


def test_a_deployments_form_asks_for_a_list_of_models_and_once_for_what_they_share():
    from prefect.utilities.callables import parameter_schema

    from foldproof.flows.compare import compare
    from foldproof.flows.cv import cross_validate

    schema = parameter_schema(compare)
    assert schema.required == []
    of_one = schema.properties["models"]["items"]["properties"]
    assert of_one.keys() == {"builder", "params", "settings"}
    form = parameter_schema(cross_validate).properties
    shared = form.keys() - {"model"}
    assert schema.properties.keys() == {"models", *shared}
    for name in shared - {"more"}:
        boxes = schema.properties[name].get("properties", {}).keys()
        assert boxes <= form[name].get("properties", {}).keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plain.yaml"], "command line: give two or more files to compare; see --help"),
        (
            ["plain.yaml", "none.yaml"],
            "none.yaml: cannot be read (No such file or directory); check the path",
        ),
        (["plain.yaml", "weak.yaml", "--seeds", "3"], "--seeds: unknown flag; did you mean --seed"),
        (["plain.yaml", "weak.yaml", "--only", "0/1"], "--only: unknown flag; "),
        (["plain.yaml", "frail.py"], "frail.py: is not YAML ("),
        (["plain.yaml", "weak.yaml", "--seed", "x"], "plain.yaml: seed: must be a whole number"),
    ],
)
def test_wrong_arguments_are_refused(folder, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as caught:
        read_comparison(arguments)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_flags_count_over_all_files_wherever_they_stand(folder, monkeypatch):
    monkeypatch.chdir(folder)
    flags = ("--seed", "3", "--split.n_splits", "5", "--refresh", "--verbose")
    comparison = read_comparison(["plain.yaml", *flags, "weak.yaml"])
    comparison.close()
    assert [study.seed for study in comparison.studies] == [3, 3]
    assert [study.split.n_splits for study in comparison.studies] == [5, 5]
    assert [study.model.params for study in comparison.studies] == [{}, {"C": 0.001}]
    assert comparison.names == ("plain.yaml", "weak.yaml")
    assert comparison.verbosity == "verbose"
    assert all(run.refresh for run in comparison.runs)


def test_other_folds_are_refused_in_one_line_before_anything_starts(folder, tmp_path):
    (tmp_path / "other.yaml").write_text("split: {n_splits: 5}\n" + FILES["weak.yaml"])
    stored = tmp_path / "reports" / "folds"
    stored.mkdir(parents=True)
    (stored / "some.parquet").touch()  # so that no worker gets ready while the data is read
    files = (str(folder / "plain.yaml"), "other.yaml")
    ended = run([*COMPARE, *files], tmp_path, PREFECT_API_URL="x")
    assert ended.code == 2
    assert ended.err.startswith(f"split.n_splits: 10 in {files[0]}, 5 in other.yaml; "), ended.err
    assert ended.err.count("\n") == 1
    assert not ended.out
    assert list((tmp_path / "reports").rglob("*")) == [stored, stored / "some.parquet"]


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit) as ended:
        read_comparison(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for name in ("FILE.yaml", "--split.n_splits", "--train.epochs", "--refresh", "--quiet"):
        assert name in said
    assert "--only" not in said


def test_a_stop_keeps_what_is_finished_and_leaves_nothing_behind(start, three, folder, api):
    command = [*COMPARE, "plain.yaml", "slow.yaml", *FOLDS]
    idle = left_behind(folder)  # what a warm process keeps
    process = start(command, folder, **api)
    process.wait_for(lambda: "\nmodel 2 of 2" in process.err and (folder / "started").exists())
    process.send(signal.SIGINT)
    ended = process.ended()
    assert ended.code == 128 + signal.SIGINT
    assert "stopped: 4 finished folds are stored; the same command goes on from there" in ended.err
    assert "Traceback" not in ended.err
    wait_for(lambda: left_behind(folder) == idle)
