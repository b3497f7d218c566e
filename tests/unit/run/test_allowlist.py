"""Import paths and folders: open for whoever calls, closed for what comes from a deployment."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import ROOT
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.run.allowlist import BUILDERS, PATHS, Trust, check_trust
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.deployment_internals import FLOW_RUN_ID
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.support.command import cv, run

OWN = (
    "from subprocess import run\nfrom studies.b import shared\nimport os\n\ndef build(): ...\n"
    "shell = os.system\nagain = shell\n"
)
FILES = {
    "studies/__init__.py": "from .a import build\nfrom studies_evil import build as other\n",
    "studies/a.py": OWN + "\nif os:\n    alias = build\n",
    "studies/b.py": "def shared(): ...\n",
    "studies_evil.py": "open('imported', 'w').close()\n\ndef build(): ...\n",
}


@pytest.fixture
def modules(here: Path) -> Path:
    """A working directory with modules that leave a file behind when imported."""
    (here / "studies").mkdir()
    for name, text in FILES.items():
        (here / name).write_text(text)
    return here


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (BUILDERS, PATHS, FLOW_RUN_ID):
        monkeypatch.delenv(name, raising=False)


def with_builder(name: str) -> Study:
    return parse_study({"model": name})


def refused(study: Study, deployed: bool = True) -> str:
    with pytest.raises(InputError) as caught:
        check_trust(study, deployed)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


ANYTHING: list[dict[str, Any]] = [
    {"model": "studies_evil:build"},
    {"model": "os:system"},
    {"split": {"method": "studies_evil:Splitter"}},
    {"train": {"scaler": "studies_evil:Scaler"}},
    {"data": {"source": "/etc/passwd.csv"}},
    {"data": {"source": "s3://bucket/a.csv"}},
    {"train": {"scaler": "studies_evil:Scaler@0123"}},
    {"train": {"callbacks": ["studies_evil:Callback"]}},
    {"train": {"callbacks": ["studies_evil:callbacks@0123"]}},
    {"train": {"callbacks": [{"ModelCheckpoint": {"filepath": "a.keras"}}]}},
    {"train": {"callbacks": [{"CSVLogger": {"filename": "a.csv"}}]}},
    {"train": {"callbacks": [{"BackupAndRestore": {"backup_dir": "a"}}]}},
    {"train": {"callbacks": ["RemoteMonitor"]}},
    {"train": {"callbacks": ["TensorBoard"]}},
    {"train": {"callbacks": ["LambdaCallback"]}},
    {"train": {"callbacks": ["LearningRateScheduler"]}},
    {"train": {"optimizer": "studies_evil:Optimizer"}},
    {"train": {"optimizer": {"studies_evil:Optimizer": {"x": 1}}}},
    {"train": {"learning_rate": {"studies_evil:Schedule": {}}}},
    {"train": {"loss": "studies_evil:loss"}},
    {"train": {"metrics": ["studies_evil:metric"]}},
    {"metrics": ["studies_evil:metric"]},
    {"split": {"method": "studies_evil:Splitter@0123"}},
    {"compute": {"engine": "dask", "address": "127.0.0.1:1"}},
    {"compute": {"engine": "ray", "address": "127.0.0.1:1"}},
    {"out": "/elsewhere"},
    {"out": "../elsewhere"},
]


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("settings", ANYTHING, ids=str)
def test_a_caller_may_name_anything_and_a_deployment_may_not(settings: dict[str, Any]) -> None:
    study = parse_study(settings)
    check_trust(study)
    message = refused(study)
    fields = ("model.builder", "split.method", "train.scaler", "out", "data.source")
    named = re.match(r"(train\.|metrics)", message) is not None
    assert named or message.split(":")[0] in (*fields, "compute.address")
    assert any(variable in message for variable in (BUILDERS, PATHS, "FOLDPROOF_ALLOWED_CLUSTERS"))
    assert not Path("imported").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"model": "tasks.models:cnn"},
        {"model": "sklearn.linear_model:LogisticRegression"},
        {"split": {"method": "sklearn.model_selection:ShuffleSplit"}},
        {"train": {"scaler": "sklearn.preprocessing:MaxAbsScaler"}},
        {"train": {"callbacks": ["EarlyStopping", "TerminateOnNaN"]}},
        {"train": {"callbacks": [{"keras.callbacks:ReduceLROnPlateau": {"patience": 3}}]}},
        {"train": {"optimizer": {"adamw": {"weight_decay": 0.1}}, "loss": "mse"}},
        {"train": {"learning_rate": {"CosineDecay": {"decay_steps": 9}}, "metrics": ["AUC"]}},
        {"data": "iris", "out": "below/here"},
        {"data": {"source": "below/data.csv", "target": "y"}, "out": "."},
        {"data": DataSpec.from_arrays([[1.0], [2.0]], [0, 1])},
        {"compute": {"engine": "dask"}},
        {"compute": {"engine": "ray"}},
    ],
    ids=str,
)
@pytest.mark.usefixtures("here")
def test_what_a_deployment_may_name_by_itself(settings: dict[str, Any]) -> None:
    check_trust(parse_study(settings), deployed=True)


@pytest.mark.parametrize(
    "builder",
    [
        "sklearn.datasets:clear_data_home",  # removes a folder
        "sklearn.datasets:load_svmlight_file",
        "sklearn.utils.fixes:np",
        "sklearn.nothing:Here",
        "sklearn.linear_model:Nothing",
        "sklearn_evil:Model",
        "sklearn.utils:os.system",
        "sklearn.utils._testing:SkipTest",
        "sklearn.model_selection:KFold",
        "sklearn.conftest:pytest",
        "tasks.models:math",
        "tasks.models:mlp.__globals__",
        "tasks.models:Any",
        "tasks.models_evil:build",
        "tasks.run:Run",
        "tasks:models",
    ],
)
def test_allowed_modules_are_no_way_around(here: Path, builder: str) -> None:
    assert refused(with_builder(builder)).startswith("model.builder: ")


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.usefixtures("modules")
def test_the_list_counts_for_everybody(monkeypatch: pytest.MonkeyPatch, deployed: bool) -> None:
    monkeypatch.setenv(BUILDERS, " studies , other.part")
    for allowed in ("studies.a:build", "studies:build", "studies.a:shared", "studies.a:alias"):
        check_trust(with_builder(allowed), deployed)
    for name in ("studies_evil:build", "studie:build", "other:build", "tasks.models:mlp"):
        assert f"the operator can list it in {BUILDERS}" in refused(with_builder(name), deployed)
    for name in (
        "studies.a:run",
        "studies:other",
        "studies.a:os",
        "studies.a:missing",
        "studies.a:shell",
        "studies.a:again",
    ):
        assert "name the allowed module that defines it" in refused(with_builder(name), deployed)
    assert "has a dot" in refused(with_builder("studies.a:os.system"), deployed)
    assert "no module 'studies.z'" in refused(with_builder("studies.z:build"), deployed)
    assert not Path("imported").exists()


@pytest.mark.parametrize("text", ["", " , "])
def test_an_empty_list_allows_nothing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(BUILDERS, text)
    assert refused(Study(), deployed=False).startswith("model.builder: module 'tasks.models'")


@pytest.mark.parametrize("text", ["studies.a:build", "studies other", "a..b", "../a"])
def test_a_wrong_list_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(BUILDERS, text)
    assert refused(Study(), deployed=False).startswith(f"{BUILDERS}: ")


def test_a_process_that_prefect_started_is_a_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FLOW_RUN_ID, "6a0e6b6e-0000-0000-0000-000000000000")
    assert BUILDERS in refused(with_builder("os:system"), deployed=False)


def test_a_function_object_does_not_make_a_splitter_or_scaler_of_its_name(here: Path) -> None:
    (here / "evil.py").write_text("open('imported', 'w').close()\n")
    for settings in ({"train": {"scaler": "evil:x@y"}}, {"split": {"method": "evil:x@y"}}):
        assert "module 'evil' is not allowed here" in refused(parse_study(settings))
    assert not (here / "imported").exists()


@pytest.mark.usefixtures("here")
def test_pickles_and_objects_are_no_arguments_of_what_is_built_in() -> None:
    pipeline = {"builder": "sklearn.pipeline:Pipeline", "params": {"memory": "pickles"}}
    assert refused(parse_study({"model": pipeline})) == (
        "model.params.memory: names a folder whose pickles would be loaded; leave it out"
    )
    layer = {"class_name": "function", "module": "os", "config": "system"}
    net = {"builder": "tasks.models:mlp", "params": {"activation": layer}}
    assert refused(parse_study({"model": net})) == (
        "model.params.activation: describes an object of Keras's; give a plain value, such as relu"
    )
    check_trust(parse_study({"model": pipeline}))
    check_trust(parse_study({"model": {"builder": "tasks.models:mlp", "params": {"units": [8]}}}))


@pytest.mark.usefixtures("here")
def test_a_function_object_is_the_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> None: ...

    monkeypatch.setenv(BUILDERS, "studies")
    check_trust(parse_study({"model": build}))


PLACES = [
    ("{here}/in", "in/a.csv", True),
    ("{here}/in", "in/../in/a.csv", True),
    ("{here}/in", "in/../a.csv", False),
    ("{here}/in", "inside/a.csv", False),
    ("{here}/in", "file://{here}/in/a.csv", True),
    ("{here}/in", "FILE://{here}/in/%2e%2e/a.csv", False),
    ("{here}/in", "link/a.csv", True),
    ("{here}/in", "in/out/a.csv", False),
    ("{here}/other:{here}/in", "in/a.csv", True),
    ("{here}/other, {here}/in", "in/a.csv", True),
    ("s3://bucket/data/, file://{here}/in", "s3://bucket/data/a.csv", True),
    ("s3://bucket/data,file://{here}/in", "in/a.csv", True),
    ("s3://bucket/data", "s3://bucket/data", True),
    ("s3://bucket/data", "s3://bucket/data2/a.csv", False),
    ("s3://bucket/data", "s3://bucket/data/../b.csv", False),
    ("s3://bucket/data", "s3://bucket/data/%2E./b.csv", False),
    ("s3://bucket", "s3://bucket@evil/a.csv", False),
    ("s3://bucket", "s3://bucket/a.csv?endpoint_override=evil", False),
    ("s3://bucket", "in/a.csv", False),
    ("/", "s3://bucket/a.csv", False),
    ("", "in/a.csv", False),
]


@pytest.mark.parametrize(("allowed", "path", "expected"), PLACES)
def test_paths_are_compared_after_their_links(
    here: Path, allowed: str, path: str, expected: bool
) -> None:
    (here / "in").mkdir()
    (here / "link").symlink_to(here / "in")
    (here / "in" / "out").symlink_to(here)
    trust = Trust.of({PATHS: allowed.format(here=here)}, deployed=False)
    assert trust.allows_path(path.format(here=here)) is expected


def test_source_and_out_both_count(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATHS, str(here / "in"))
    assert refused(parse_study({"data": "a.csv", "out": "in"})).startswith("data.source: 'a.csv'")
    assert refused(parse_study({"data": "in/a.csv"})).startswith("out: 'reports' is not in an")
    check_trust(parse_study({"data": "in/a.csv", "out": "in/reports"}), deployed=True)


@pytest.mark.usefixtures("modules")
def test_a_run_is_refused_before_anything_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATHS, "nowhere")
    study = parse_study({"data": "/does/not/exist.csv", "train": {"scaler": "studies_evil:S"}})
    with launched(Run(study, Display("quiet"))) as begun, pytest.raises(InputError) as caught:
        begun.check()
    assert PATHS in str(caught.value)
    assert not Path("imported").exists()


def test_the_command_line_obeys_the_list(modules: Path) -> None:
    before = sorted(modules.rglob("*"))
    ended = cv("--model", "studies_evil:build", folder=modules, **{BUILDERS: "studies"})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("model.builder: module 'studies_evil' is not allowed here")
    assert sorted(modules.rglob("*")) == before


DEPLOYED_RUN = f"""
import asyncio, runpy, sys
from prefect.client.orchestration import get_client
from foldproof.flows.cv import cross_validate

async def main():
    async with get_client() as client:
        flow = await client.create_flow(cross_validate)
        deployment = await client.create_deployment(
            flow, "here", path={str(ROOT)!r}, entrypoint="flows/cv.py:cross_validate"
        )
        given = {{"model": {{"builder": "studies_evil:build"}}}}
        return (await client.create_flow_run_from_deployment(deployment, parameters=given)).id

sys.argv = ["engine", str(asyncio.run(main()))]
runpy.run_module("prefect.engine", run_name="__main__")
"""


@pytest.mark.long
def test_a_deployed_run_is_closed(modules: Path, prefect_api: str) -> None:
    """Prefect's own engine runs it, as it would for a worker; the form asked for anything."""
    api = {"PREFECT_API_URL": prefect_api, "PYTHONPATH": os.pathsep.join((str(ROOT), "."))}
    ended = run([sys.executable, "-c", DEPLOYED_RUN], modules, **api)
    assert "Finished in state Failed" in ended.err
    assert "model.builder: module 'studies_evil' is not allowed here" in ended.err
    assert not (modules / "imported").exists()


CALLING = [
    ("sklearn.preprocessing:FunctionTransformer", "data.preprocess: FunctionTransformer calls"),
    (
        [{"FunctionTransformer": {"func": "os.system"}}],
        "data.preprocess: FunctionTransformer calls",
    ),
    (
        [{"columns": "text", "steps": {"CountVectorizer": {"input": "filename"}}}],
        "data.preprocess.params.input: CountVectorizer would open files",
    ),
    ([{"PCA": {"memory": "cache"}}], "data.preprocess.params.memory: names a folder whose pickles"),
]


@pytest.mark.parametrize(("preprocess", "line"), CALLING)
def test_transformers_that_call_or_open_are_refused(preprocess, line):
    with pytest.raises(InputError) as caught:
        check_trust(parse_study({"data": {"preprocess": preprocess}}), deployed=True)
    assert str(caught.value).startswith(line)


HARMLESS = [
    {"data": {"preprocess": "skrub:TableVectorizer"}},
    {"data": {"preprocess": ["StandardScaler", "sklearn.decomposition:PCA"]}},
    {"train": {"sampler": "imblearn.over_sampling:SMOTE"}},
    {"train": {"sampler": {"RandomUnderSampler": {"replacement": True}}}},
]
FOREIGN = [
    (
        {"data": {"preprocess": "skrub:TextEncoder"}},
        "data.preprocess: module 'skrub' is not allowed",
    ),
    (
        {"data": {"preprocess": ["os:system"]}},
        "data.preprocess[0]: module 'os' is not allowed",
    ),
    (
        {"train": {"sampler": "imblearn:FunctionSampler"}},
        "train.sampler: module 'imblearn' is",
    ),
    ({"train": {"sampler": "imblearn.over_sampling:os.system"}}, "train.sampler: module"),
]


@pytest.mark.parametrize("settings", HARMLESS)
def test_harmless_parts_of_libraries_may_be_named_by_anybody(settings):
    check_trust(parse_study(settings), deployed=True)


@pytest.mark.parametrize(("settings", "line"), FOREIGN)
def test_other_parts_are_refused_in_a_deployment(settings, line):
    with pytest.raises(InputError) as caught:
        check_trust(parse_study(settings), deployed=True)
    assert str(caught.value).startswith(line)
