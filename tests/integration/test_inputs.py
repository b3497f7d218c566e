"""Models with several inputs: the bits of a hand loop, on every engine; wrong ones in one line."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.evaluation.findings.collect import find
from foldproof.tasks.evaluation.findings.types import Evidence
from foldproof.tasks.evaluation.tables import reduce_folds
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.report.folder import write_report
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.reference import reference
from tests.support.spy import MARKS, SPY_OF_INPUTS
from tests.support.training import settings, train_some

MODELS = "tests.support.several_inputs"
TABLE = load_breast_cancer(as_frame=True).frame.rename(columns=lambda name: name.replace(" ", "_"))
CELL, WORST = list(TABLE)[:10], list(TABLE)[20:30]
NAMED = {"cell": CELL, "worst": WORST}
DIGEST = (
    "d8a904f0206c5178df8f25f9545eb4c5fed287616aef36fe094b73947f39965d"  # of breast_cancer in 0.1.0
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The breast cancer data as a table in a file."""
    path = tmp_path_factory.mktemp("table") / "cells.parquet"
    TABLE.to_parquet(path)
    return str(path)


def given(out, source, builder="two_towers", inputs=NAMED, **sections):
    """Return small settings with several inputs."""
    data = {"source": source, "target": "target", "inputs": inputs} | sections.pop("data", {})
    model = builder if ":" in builder else f"{MODELS}:{builder}"
    return settings(out, model, data=data, **sections)


def outcome(records):
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return [(record.initial, record.weights, record.predictions) for record in records]


@pytest.mark.parametrize("builder", ["two_towers", "listed", "subclassed"])
def test_every_engine_has_the_bits_of_a_loop_by_hand(tmp_path, slots, source, builder):
    places = [(0, 1), (0, 0)]
    one, _ = train_some(given(tmp_path / "a", source, builder), places, slots)
    assert one[-1].notice == "", "it is to be compiled"
    plain = given(tmp_path / "b", source, builder, train={"engine": "plain"})
    other, _ = train_some(plain, places[::-1], slots)
    assert outcome(one) == outcome(other[::-1])
    if builder != "subclassed":  # which the loop does not build on several inputs
        assert outcome(one)[0] == reference(plain, places[0], tmp_path, slots)


def test_early_stopping_and_weights_agree_between_engines(tmp_path, slots, source):
    train = {
        **{"epochs": 8, "class_weight": "balanced"},
        "early_stopping": {"patience": 1, "monitor": "val_loss"},
    }
    found = []
    for engine in ("compiled", "plain"):
        told = given(tmp_path / engine, source, train=train | {"engine": engine})
        records, jobs = train_some(told, [(0, 0)], slots)
        found.append((outcome(records), read_fold(jobs[0].store, jobs[0].key).history))
    assert found[0] == found[1]


def test_files_arrays_and_frames_are_the_same_inputs(tmp_path, slots):
    """An image and a table; the order in which inputs are written says nothing."""
    arrays = {
        "image": TABLE[WORST[:9]].to_numpy(np.float32).reshape(-1, 3, 3, 1),
        "cell": TABLE[CELL].to_numpy(np.float32),
    }
    np.savez(tmp_path / "all.npz", y=TABLE.target, **arrays)
    inputs = {"image": "image", "cell": "cell"}
    data = [
        {"source": str(tmp_path / "all.npz"), "inputs": inputs},
        DataSpec.from_arrays(dict(reversed(arrays.items())), TABLE.target),
        DataSpec.from_arrays(arrays | {"cell": TABLE[CELL].astype(np.float32)}, TABLE.target),
    ]
    found = []
    for place, each in enumerate(data):
        told = settings(tmp_path / str(place), f"{MODELS}:two_towers") | {"data": each}
        records, (job,) = train_some(told, [(0, 2)], slots)
        found.append((job.key, *outcome(records)))
        assert job.builder.input_shape == {"cell": (10,), "image": (3, 3, 1)}
    assert found[0] == found[1] == found[2]


def mixed() -> pd.DataFrame:
    """Numbers, a gap, categories and texts."""
    rows = np.arange(len(TABLE))
    table = TABLE[[*CELL, "target"]].assign(
        sex=np.where(rows % 3, "f", "m"), note=[f"seen {row % 71} times" for row in rows]
    )
    table.loc[::9, CELL[0]] = np.nan
    return table


def test_each_input_is_preprocessed_by_itself_on_the_training_rows(tmp_path, slots):
    frame = mixed()
    inputs = {"cell": CELL[:3], "plain": CELL[3:5], "words": ["sex", "note"], "raw": CELL[5]}
    preprocess = {"plain": {"MinMaxScaler": {}}, "raw": "none"}
    data = {"preprocess": preprocess}
    one, jobs = train_some(given(tmp_path / "a", frame, inputs=inputs, data=data), [(0, 0)], slots)
    plain = given(tmp_path / "b", frame, inputs=inputs, data=data, train={"engine": "plain"})
    other, _ = train_some(plain, [(0, 0)], slots)
    assert outcome(one) == outcome(other)
    told = {each.column: each for each in read_fold(jobs[0].store, jobs[0].key).columns}
    assert {name.split(".")[0] for name in told} == {"cell", "plain", "words"}
    training = np.setdiff1d(np.arange(len(frame)), read_fold(jobs[0].store, jobs[0].key).rows)
    assert told[f"cell.{CELL[0]}"].gaps == frame[CELL[0]].iloc[training].isna().sum()
    assert told["words.sex"].outputs == 2
    assert told[f"plain.{CELL[3]}"].step == "a list of steps (MinMaxScaler)"
    everything = {"preprocess": {name: preprocess.get(name, "auto") for name in inputs}}
    _, (same,) = train_some(
        given(tmp_path / "a", frame, inputs=inputs, data=everything), [(0, 0)], slots
    )
    assert same.key == jobs[0].key, "what is not named is auto"


def test_an_object_is_fitted_to_its_input(tmp_path, slots, source):
    objects = {"preprocess": {"worst": StandardScaler(), "cell": StandardScaler()}}
    one, (job,) = train_some(given(tmp_path / "a", source, data=objects), [(0, 0)], slots)
    steps = {"preprocess": "auto"}
    other, (auto,) = train_some(given(tmp_path / "b", source, data=steps), [(0, 0)], slots)
    assert outcome(one)[0][0] == outcome(other)[0][0]
    assert job.key != auto.key
    raw = [read_fold(each.store, each.key).raw for each in (job, auto)]
    np.testing.assert_allclose(raw[0], raw[1], rtol=1e-4)


def test_images_stand_beside_columns_and_stay_pixels(tmp_path, slots):
    table = TABLE[[*CELL, "target"]].iloc[:60].copy()
    (tmp_path / "seen").mkdir()
    pixels = np.random.default_rng(1).integers(0, 255, (60, 4, 4), np.uint8)
    table["file"] = [f"seen/{place}.png" for place in range(60)]
    for name, image in zip(table.file, pixels, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    table.to_csv(tmp_path / "t.csv", index=False)
    images = {"column": "file", "channels": 1}
    inputs = {"cell": CELL, "image": "file"}
    told = given(tmp_path / "a", str(tmp_path / "t.csv"), inputs=inputs, data={"images": images})
    one, (job,) = train_some(told, [(0, 0)], slots)
    by_name = dict(job.inputs)
    assert (by_name["image"].way, by_name["cell"].way) == ("none", "scaler")
    arrays = {"cell": table[CELL], "image": pixels[..., None]}
    data = DataSpec.from_arrays(arrays, table.target, preprocess={"image": "none"})
    same = settings(tmp_path / "b", f"{MODELS}:two_towers") | {"data": data}
    other, _ = train_some(same, [(0, 0)], slots)
    assert outcome(one) == outcome(other)
    scaled = told | {"data": told["data"] | {"preprocess": {"image": "auto"}}}
    _, (job,) = train_some(scaled, [(0, 0)], slots)
    assert dict(job.inputs)["image"].way == "scaler"


def test_no_test_row_of_any_input_is_in_memory_while_the_model_trains(tmp_path, slots, monkeypatch):
    """The marked rows lie in the second of two inputs, as numbers and, in a third, as a table."""
    (tmp_path / "spy_of_inputs.py").write_text(SPY_OF_INPUTS)
    monkeypatch.chdir(tmp_path)
    fold, random = np.arange(60) // 30, np.random.default_rng(3)
    table = pd.DataFrame({f"x{i}": random.normal(size=60) for i in range(3)})
    table["other"] = random.normal(size=60)
    for name, mark in zip(["x0", "x1", "x2"], MARKS, strict=True):
        table.loc[fold == 1, name] = np.float32(mark)
    table = table.assign(y=np.arange(60) % 2, fold=fold).astype({"other": "float32"})
    for preprocess in (
        "none",
        {"marked": [{"columns": ["x0", "x1", "x2"], "steps": "passthrough"}]},
    ):
        told = settings(
            tmp_path / str(type(preprocess)),
            "spy_of_inputs:build",
            data={
                **{"source": table, "target": "y", "preprocess": preprocess},
                "inputs": {"first": "other", "marked": ["x0", "x1", "x2"]},
            },
            split={"method": "predefined", "fold_column": "fold"},
            train={"epochs": 1, "engine": "plain"},
        )
        records, _ = train_some(told, [(0, 1), (0, 0)], slots)
        assert records[0].error is None, records[0].traceback
        assert "finds the marked rows" in (records[1].error or ""), "the search must find them"


def test_a_report_names_the_inputs_and_can_be_read_again(tmp_path, slots, source):
    told = given(tmp_path, source, data={"preprocess": {"worst": "none"}})
    with launched(Run(parse_study(told), Display("quiet"), slots=slots)) as run:
        run.check()
        records = [train_without_prefect(run, job) for job in run.jobs]
        tables = reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
        facts = {"source": source, "out": str(tmp_path), "workers": "1"}
        found = find(Evidence(run.study, run.dataset, run.plan, tables))
        path = write_report(tables, found, run.key, (), run.out, facts).path
    finished = FinishedRun.read(path)
    assert finished.key["data"]["feature_shape"] == {"cell": [10], "worst": [10]}
    assert "cell: 10, worst: 10 features" in (path / "report.html").read_text()
    again = finished.study(None, 1)
    assert again.data.inputs == NAMED
    assert again.data.preprocess == {"cell": "auto", "worst": "none"}
    with launched(Run(again, Display("quiet"))) as run:
        assert run.key == finished.key


def test_findings_are_looked_for_in_all_inputs(tmp_path, slots):
    """A twin is one in all inputs; what a column tells is said with its input."""
    rows = np.arange(len(TABLE))
    table = TABLE.assign(row=rows, word=np.where(rows % 2, "u", "v"))
    inputs = {"cell": CELL, "more": ["row"]}
    found = []
    for named in (inputs, inputs | {"words": ["word"]}):
        told = given(tmp_path, table, inputs=named, train={"epochs": 1})
        with launched(Run(parse_study(told), Display("quiet"), slots=slots)) as run:
            run.check()
            records = [train_without_prefect(run, job) for job in run.jobs]
            tables = reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
            all_of_them = find(Evidence(run.study, run.dataset, run.plan, tables))
            found.append({each.code: each.text(run.dataset.names) for each in all_of_them})
    assert found[0]["FP103"].startswith("FP103 feature 10 ('more.row') numbers or names the rows")
    assert found[1]["FP103"].startswith("FP103 column 'more.0' numbers or names the rows")
    assert not {"FP101", "FP102"} & {*found[0], *found[1]}


def test_one_input_without_a_name_has_the_digest_that_it_had(tmp_path, slots):
    with launched(Run(parse_study(settings(tmp_path, "dense")), Display("quiet"))) as run:
        assert "inputs" not in run.key["data"]["settings"]
        assert run.key["data"]["feature_shape"] == [30]
        assert run.key["data"]["sha256"] == DIGEST


def test_content_and_names_of_inputs_are_in_the_digest(tmp_path, slots, source):
    digests = set()
    several = [NAMED, {"cell": CELL, "worse": WORST}, {"cell": CELL, "worst": WORST[::-1]}]
    for inputs in (*several, {"cell": WORST, "worst": CELL}):
        study = parse_study(given(tmp_path, source, inputs=inputs))
        with launched(Run(study, Display("quiet"))) as run:
            digests.add(run.dataset.digest)
    assert len(digests) == 4


LINES = [
    (
        "other_names",
        {},
        "data.inputs: are cell, worst, but the model's are my_cell, my_wo",
    ),
    ("one_input", {}, "data.inputs: are cell, worst, but the model's are cell; give both"),
    (
        "too_narrow",
        {},
        "model.builder: input cell of the model takes samples of shape (3), but",
    ),
    (
        "wants_one",
        {},
        f"model.builder: {MODELS}:wants_one asks for input_shape, but data.inputs names several "
        "(cell, worst); let it take input_shapes, a dict by these names",
    ),
    ("tests.support.unfit:net", {}, "asks for input_shape, but data.inputs names several"),
    (
        "sklearn.linear_model:LogisticRegression",
        {},
        "data.inputs: is for models with named inputs, but LogisticRegression takes one table; le",
    ),
    ("two_towers", {"inputs": None}, "asks for input_shapes, but the data has one input; let it"),
    ("two_towers", {"inputs": {"a": CELL, "b": ["x"]}}, "data.inputs.b: no column 'x'; use one"),
    ("two_towers", {"inputs": {"a": "target"}}, "data.inputs.a: column 'target' is also data.targ"),
    ("two_towers", {"preprocess": {"wors": "none"}}, "data.preprocess: no input 'wors'; did you m"),
    (
        "two_towers",
        {"preprocess": {"worst": ["MinMaxScalr"]}},
        "data.preprocess.worst: sklearn has no 'MinMaxScalr'; did you mean MinMaxScaler?",
    ),
]


@pytest.mark.parametrize(("builder", "data", "problem"), LINES)
def test_what_cannot_train_is_one_line_before_anything_trains(
    tmp_path, slots, source, builder, data, problem
):
    with pytest.raises(InputError) as caught:
        train_some(given(tmp_path / "out", source, builder, data=data), [(0, 0)], slots)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "folds").exists()


def test_tokens_of_an_input_are_not_scaled_unnoticed(tmp_path, slots):
    table = TABLE[[*CELL, "target"]].assign(word=np.arange(len(TABLE)) % 8)
    inputs = {"cell": CELL, "word": "word"}
    with pytest.raises(InputError, match=r"looks up; add data\.preprocess: \{NAME: none\}"):
        train_some(given(tmp_path, table, "tokens", inputs), [(0, 0)], slots)
    data = {"preprocess": {"word": "none"}}
    records, _ = train_some(given(tmp_path, table, "tokens", inputs, data=data), [(0, 0)], slots)
    outcome(records)
