"""`cross_validate(model, X, y, cv=5)`: scikit-learn's arguments become settings."""

import inspect
import pydoc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, get_scorer, make_scorer, roc_auc_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import foldproof
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.from_python.call import (
    ARGUMENTS,
    POSITIONAL,
    arranged,
    settings_of_call,
)
from foldproof.tasks.config.from_python.splitter_objects import split_of
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.evaluation.measure import compute_metric
from foldproof.tasks.evaluation.metric_names import resolve_metrics
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.split.plan import plan_folds
from foldproof.tasks.prefect_ui.form import with_more

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
Y = np.array(["benign", "malignant"] * 30)
FRAME = pd.DataFrame(X, columns=["radius", "texture", "area"])
TABLE = FRAME.assign(diagnosis=Y)
FRAMES = {
    "pandas": TABLE,
    "polars": pl.from_pandas(TABLE),
    "arrow": pl.from_pandas(TABLE).to_arrow(),
}


def build():
    return LogisticRegression()


def study(*arguments, **named):
    return parse_study(with_more(settings_of_call(*arguments, **named)))


def dataset(tmp_path, made):
    folder = tmp_path / f"data{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return prepare_data(made.data, None, folder)


def test_arrays_are_what_from_arrays_makes_of_them():
    made = study(build, X, Y, groups=np.arange(60) // 2)
    assert made.data == foldproof.DataSpec.from_arrays(X, Y, groups=np.arange(60) // 2)
    assert made.model.builder.startswith("tests.unit.config.from_python.test_call:build")
    assert study(data=(X, Y)).data == foldproof.DataSpec.from_arrays(X, Y)


@pytest.mark.parametrize("library", FRAMES)
def test_a_frame_of_any_library_is_a_table_with_names(tmp_path, library):
    frame = FRAMES[library]
    made = study(build, data=frame, target="diagnosis", weights="area")
    assert (made.data.target, made.data.weights) == ("diagnosis", "area")
    assert study(build, frame, "diagnosis", weights="area").data == made.data
    (tmp_path / "same.csv").write_text(TABLE.to_csv(index=False))
    plain = study(build, data=tmp_path / "same.csv", target="diagnosis")
    left = study(build, data=frame, target="diagnosis")
    assert dataset(tmp_path, left).digest == dataset(tmp_path, plain).digest


@pytest.mark.parametrize("frame", [FRAME, pl.from_pandas(FRAME)], ids=["pandas", "polars"])
def test_a_frame_beside_y_keeps_its_names_and_its_digest(tmp_path, frame):
    of_frame, of_array = study(build, frame, Y), study(build, X, Y)
    assert dataset(tmp_path, of_frame).digest == dataset(tmp_path, of_array).digest
    gaps = {
        column.name: column.gaps
        for column in dataset(tmp_path, study(build, FRAME.assign(texture=np.nan), Y)).columns
    }
    assert gaps["texture"] == len(Y)


def test_groups_may_be_a_column_beside_y(tmp_path):
    groups = np.arange(60) // 2
    made = study(build, FRAME.assign(patient=groups), Y, groups="patient")
    assert made.data.groups == "groups"
    assert (
        dataset(tmp_path, made).digest
        == dataset(tmp_path, study(build, X, Y, groups=groups)).digest
    )


VISITS = FRAME.assign(day=pd.date_range("2024-01-01", periods=60), who=[f"P{n}" for n in range(60)])


@pytest.mark.parametrize("frame", [VISITS, pl.from_pandas(VISITS)], ids=["pandas", "polars"])
def test_times_and_ids_may_be_columns_or_arrays(tmp_path, frame):
    of_frame = study(build, frame, Y, time="day", id="who")
    assert (of_frame.data.time, of_frame.data.id) == ("time", "id")
    of_arrays = study(build, X, Y, time=VISITS["day"], id=list(VISITS["who"]))
    whole = study(
        build,
        frame.with_columns(y=Y) if isinstance(frame, pl.DataFrame) else frame.assign(y=Y),
        "y",
        time="day",
        id="who",
    )
    assert (whole.data.time, whole.data.id) == ("day", "who")
    made = [dataset(tmp_path, one) for one in (of_frame, of_arrays, whole)]
    assert len({(one.digest, one.ids_digest) for one in made}) == 1
    assert made[0].feature_shape == (3,)
    assert made[0].ids().to_pylist() == VISITS["who"].tolist()
    both = dataset(tmp_path, study(build, frame, Y, groups="who", id="who", time="day"))
    assert both.ids_digest == made[0].ids_digest
    assert both.array("groups.npy") is not None


def test_an_index_is_no_column():
    indexed = TABLE.set_index(np.arange(60) * 7)
    assert (
        study(data=indexed, target="diagnosis").data == study(data=TABLE, target="diagnosis").data
    )


def test_a_frame_goes_when_nothing_stands_for_it():
    import gc

    from foldproof.tasks.config.in_memory.arrays_in_memory import find_arrays

    made = study(data=TABLE, target="diagnosis")
    source = made.data.source
    assert find_arrays(source) is not None
    copied = made.model_copy(deep=True)
    del made
    gc.collect()
    assert find_arrays(source) is not None
    del copied
    gc.collect()
    assert find_arrays(source) is None


@pytest.mark.parametrize(
    ("splitter", "settings"),
    [
        (KFold(5), {"method": "kfold", "n_splits": 5, "shuffle": False}),
        (
            StratifiedKFold(4, shuffle=True),
            {"method": "stratified_kfold", "n_splits": 4, "shuffle": True},
        ),
        (GroupKFold(3), {"method": "group_kfold", "n_splits": 3, "shuffle": False}),
        (TimeSeriesSplit(4), {"method": "time_series", "n_splits": 4}),
        (
            TimeSeriesSplit(3, gap=2, test_size=5, max_train_size=20),
            {"method": "time_series", "n_splits": 3, "gap": 2, "test_size": 5, "window": 20},
        ),
        (LeaveOneOut(), {"method": "leave_one_out"}),
        (ShuffleSplit(5), {"method": "shuffle_split", "n_splits": 5, "test_size": 0.1}),
        (
            RepeatedStratifiedKFold(n_splits=3, n_repeats=2),
            {"method": "stratified_kfold", "n_splits": 3, "n_repeats": 2},
        ),
    ],
)
def test_scikit_learns_splitters_are_settings_where_these_say_the_same(splitter, settings):
    assert split_of(splitter) == settings


class Halves:
    def split(self, X, y=None, groups=None):
        yield np.arange(30), np.arange(30, 60)
        yield np.arange(30, 60), np.arange(30)


KEPT = [
    KFold(4, shuffle=True, random_state=7),
    TimeSeriesSplit(3, gap=2),
    TimeSeriesSplit(4, gap=2, test_size=5, max_train_size=20),
    ShuffleSplit(3, test_size=0.25, train_size=0.5, random_state=1),
    StratifiedShuffleSplit(3, test_size=10, random_state=1),
    PredefinedSplit(np.arange(60) % 3),
    Halves(),
]


@pytest.mark.parametrize("splitter", KEPT, ids=lambda splitter: type(splitter).__name__)
def test_any_splitter_divides_as_it_does_itself(tmp_path, splitter):
    made = study(build, X, Y, cv=splitter)
    samples, folder = dataset(tmp_path, made), tmp_path / "folds"
    folder.mkdir()
    plan = plan_folds(samples, made.split, made.seed, folder)
    expected = list(splitter.split(X, Y))
    assert len(plan.folds) == len(expected)
    for fold, (train, test) in zip(plan.folds, expected, strict=True):
        np.testing.assert_array_equal(np.load(fold.train_path), np.sort(train))
        np.testing.assert_array_equal(np.load(fold.test_path), np.sort(test))
    again = study(build, X, Y, cv=(pair for pair in expected))
    (tmp_path / "again").mkdir()
    pairs = plan_folds(samples, again.split, again.seed, tmp_path / "again")
    assert pairs.digest == plan.digest


def test_a_splitter_without_a_random_state_has_the_runs_seed(tmp_path):
    made = study(build, X, Y, cv=ShuffleSplit(2, test_size=0.2, train_size=0.3), seed=5)
    digests = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}-data").mkdir()
        samples = prepare_data(made.data, None, tmp_path / f"{name}-data")
        digests.add(plan_folds(samples, made.split, made.seed, tmp_path / name).digest)
    assert len(digests) == 1


def test_the_same_object_has_the_same_name_and_another_another():
    assert split_of(KEPT[0]) == split_of(KFold(4, shuffle=True, random_state=7))
    assert split_of(KEPT[0]) != split_of(KFold(4, shuffle=True, random_state=8))
    assert study(LogisticRegression(C=2)).model == study(LogisticRegression(C=2)).model
    assert study(LogisticRegression(C=2)).model != study(LogisticRegression(C=3)).model
    nested = [make_pipeline(StandardScaler(), LogisticRegression(C=c)) for c in (1, 1, 2)]
    first, same, other = (study(each).model.builder for each in nested)
    assert first == same != other


def test_an_estimator_is_cloned_when_it_is_given():
    from foldproof.tasks.user_code.objects.functions import function_object

    mine = LogisticRegression(C=2)
    made = study(mine)
    mine.C = 3
    clones = [function_object(made.model.builder)() for _ in range(2)]
    assert [each.C for each in clones] == [2, 2]
    assert clones[0] is not clones[1]


def test_scorers_and_functions_are_metrics_beside_names():
    made = study(scoring=["roc_auc", make_scorer(f1_score), accuracy_score])
    names = [name.partition("@")[0] for name in made.metrics]
    assert names == ["roc_auc", "f1_score", "accuracy_score"]
    assert study(scoring={"mine": accuracy_score}).metrics[0].startswith("mine@")
    assert study(scoring="roc_auc").metrics == ["roc_auc"]
    assert study(scoring=get_scorer("f1")).metrics[0].startswith("f1_score@")
    assert resolve_metrics(list(made.metrics), "binary", 2) == tuple(made.metrics)


def test_functions_may_stand_among_the_metrics_and_score_probabilities():
    def best(y_true, y_score):
        return float(y_score.max())

    made = study(metrics=["roc_auc", best, roc_auc_score])
    names = [name.partition("@")[0] for name in made.metrics]
    assert names == ["roc_auc", "best", "roc_auc_score"]
    scores = np.array([[0.2], [0.7], [0.6], [0.9]])
    predictions = Predictions(np.array([0, 1, 1, 0]), np.array([0, 1, 1, 1]), scores, 2)
    values = [compute_metric(name, predictions).value for name in made.metrics]
    assert values == [0.5, 0.9, 0.5]
    assert study(metrics=best).metrics == made.metrics[1:2]


def test_training_takes_functions_and_classes_but_no_objects():
    import keras

    def callbacks():
        return [keras.callbacks.TerminateOnNaN()]

    train = {
        "callbacks": callbacks,
        "optimizer": keras.optimizers.Nadam,
        "loss": keras.losses.mean_squared_error,
    }
    made = study(train=train).train
    assert made.callbacks[0].partition(":")[2].startswith("test_training_takes")
    assert (made.optimizer, made.loss) == ("Nadam", "mean_squared_error")
    for setting, value in {
        "callbacks": [keras.callbacks.TerminateOnNaN()],
        "optimizer": keras.optimizers.Adam(),
        "loss": keras.losses.Huber(),
        "learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 9),
    }.items():
        with pytest.raises(InputError, match=rf"train\.{setting}: is an object of class .* share"):
            study(train={setting: value})


@pytest.mark.parametrize(
    ("scorer", "problem"),
    [
        (make_scorer(f1_score, pos_label="malignant"), "f1_score fails on a binary task"),
        (lambda estimator, X, y: {}, "<lambda> fails on a binary task"),
        (lambda estimator, X, y: estimator.coef_, "has no attribute 'coef_'"),
    ],
)
def test_a_scorer_that_fails_is_refused_before_anything_trains(scorer, problem):
    with pytest.raises(InputError, match=problem) as caught:
        resolve_metrics(list(study(scoring=scorer).metrics), "binary", 2)
    assert caught.value.field == "scoring"


@pytest.mark.parametrize(
    ("arguments", "named", "problem"),
    [
        ((X, Y), {}, "model: is an array; the order is model, X, y"),
        ((build, X), {}, "y: missing; give one value a row"),
        ((build,), {"y": Y}, "X: missing; give the features that y belongs to"),
        ((build, X, Y), {"target": "a"}, "target: y says it"),
        ((build, X, Y), {"groups": "a"}, "groups: arrays have no columns"),
        ((build, X, Y), {"time": "a"}, "time: arrays have no columns; give one value a row"),
        ((build, X, Y), {"ids": Y}, "ids: unknown argument; write id=..."),
        (
            (build, FRAME, Y),
            {"groups": "raduis"},
            "groups: no column 'raduis'; did you",
        ),
        ((build, X, Y), {"data": {"source": "iris"}}, "data.source: X and y say what is learned"),
        ((build, X, Y, 5), {}, "arguments: only model, X and y go without a name"),
        ((), {"cv": "5"}, "cv: '5' makes no folds; give a number of folds, a splitter, or pairs"),
        ((), {"cv": [1, 2]}, "cv: fold 0 is no pair of training and test rows"),
        ((), {"cv": []}, "cv: has no pairs of row numbers"),
        ((), {"cv": 5, "split": {"n_splits": 4}}, "split.n_splits: 4 clashes with cv; say it once"),
        ((), {"epochs": 5, "train": {"epochs": 4}}, "train.epochs: 4 clashes with epochs"),
        ((), {"scoring": "r2", "metrics": "r2"}, "scoring: metrics says the same"),
        ((), {"scoring": 5}, "scoring: 5 is no metric"),
        ((), {"scoring": lambda a: 1}, "scoring: <lambda> takes 1 arguments; let it take"),
        ((), {"n_jobs": 2}, r"n_jobs: unknown argument; write compute=\{'workers': 2\}"),
        ((), {"random_state": 2}, "random_state: unknown argument; write seed=1337"),
        ((), {"batch_size": 2}, r"batch_size: unknown argument; write train=\{'batch_size': ...\}"),
        ((), {"lerning_rate": 2}, r"unknown argument; write train=\{'learning_rate': ...\}"),
        ((), {"scorin": 2}, "scorin: unknown argument; did you mean scoring"),
        ((), {"split": 5}, "split: must be a mapping of names to values, not 5"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, named, problem):
    with pytest.raises(InputError, match=f"^{problem}|: {problem}") as caught:
        study(*arguments, **named)
    assert "\n" not in str(caught.value)


def test_the_data_may_go_first_as_in_earlier_versions():
    data = DataSpec.from_arrays(X, Y)
    assert arranged((data,), {"model": "nets:build"}) == ((), {"model": "nets:build", "data": data})
    assert arranged(("nets:build", X, Y), {}) == (("nets:build", X, Y), {})


def test_an_argument_that_is_given_twice_is_refused():
    with pytest.raises(InputError) as caught:
        arranged(("nets:build", X, Y), {"model": "nets:other"})
    assert str(caught.value) == "model: given twice, with and without its name; leave one out"


def test_a_frame_with_two_columns_of_one_name_is_refused():
    double = pd.DataFrame(X, columns=["a", "a", "b"])
    with pytest.raises(InputError, match="column 'a' stands there 2 times"):
        study(build, double, Y)


def test_a_model_with_weights_is_no_builder():
    class Model:
        def __call__(self): ...
        def get_weights(self): ...

    with pytest.raises(InputError, match="is a model with weights; give the function"):
        study(Model(), X, Y)


def test_the_public_function_has_the_arguments_of_the_call_and_its_help_fits_a_screen():
    signature = inspect.signature(foldproof.cross_validate)
    names = [name for name in signature.parameters if name != "unknown"]
    assert names == [
        *POSITIONAL,
        *(name for name in ARGUMENTS if name not in (*POSITIONAL, "more")),
    ]
    shown = pydoc.plain(pydoc.render_doc(foldproof.cross_validate))
    assert len(shown) < 3000
    assert shown.count("\n") < 50
