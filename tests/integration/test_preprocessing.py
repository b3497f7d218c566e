"""Preprocessing in the fold: training rows only, the same bits, wrong ones in one line."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.inputs import own_module
from tests.support.spy import SEARCH
from tests.support.training import settings, train_some

NET, LINEAR = "tests.support.unfit:net", "sklearn.linear_model:LogisticRegression"
BOOSTED = "sklearn.ensemble:HistGradientBoostingClassifier"
ROWS = 240


def patients() -> pd.DataFrame:
    """A table with gaps, categories, texts, dates and booleans, whose target follows from some."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": random.normal(55, 9, ROWS),
            "stage": random.integers(1, 5, ROWS).astype("float64"),
            "sex": random.choice(["f", "m"], ROWS),
            "site": pd.Categorical(random.choice(["north", "south", "west"], ROWS)),
            "admitted": pd.date_range("2021-03-01", periods=ROWS, freq="37h"),
            "smoker": random.choice([True, False], ROWS),
            "note": [f"{random.choice(['cough', 'fever'])} for {i % 61} days" for i in range(ROWS)],
        }
    )
    risk = frame.age + 8 * (frame.sex == "m") + 4 * frame.stage + random.normal(0, 4, ROWS)
    frame["ill"] = np.where(risk > risk.median(), "yes", "no")
    frame.loc[::8, "age"] = np.nan
    frame.loc[4:7, "site"] = None
    frame.loc[:5, "sex"] = "unknown"
    return frame


def given(out, builder, frame=None, preprocess="auto", **sections):
    data = {"source": patients() if frame is None else frame, "target": "ill"}
    return settings(
        out, builder, data=data | {"preprocess": preprocess, "positive": "yes"}, **sections
    )


def outcome(records):
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return [(record.initial, record.weights, record.predictions) for record in records]


def test_auto_has_the_same_bits_on_every_engine_and_in_any_order(tmp_path, slots):
    places = [(0, 0), (0, 1), (0, 2)]
    one, jobs = train_some(given(tmp_path / "a", NET), places, slots)
    plain = given(tmp_path / "b", NET, train={"engine": "plain", "epochs": 3})
    other, _ = train_some(plain, places[::-1], slots)
    assert outcome(one) == outcome(other[::-1])
    widths = {job.builder.input_shape for job in jobs}
    assert widths == {(7,)}, "what a fold learned is not known before it"


def test_auto_is_what_scikit_learn_makes_of_the_training_rows(tmp_path, slots):
    frame = patients()[["age", "stage", "sex", "smoker", "ill"]]
    records, (job,) = train_some(given(tmp_path, LINEAR, frame), [(0, 0)], slots)
    outcome(records)
    finished = read_fold(job.store, job.key)
    with launched(Run(parse_study(given(tmp_path, LINEAR, frame)), Display("quiet"))) as run:
        training, test = np.load(run.jobs[0].train_path), np.load(run.jobs[0].test_path)
    numbers = ["age", "stage", "smoker"]
    by_hand = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("gap", _marks_of_age(), ["age"]),
            ("c", _levels(), ["sex"]),
        ]
    )
    plain = frame.drop(columns="ill").assign(smoker=frame.smoker.astype(float))
    features = by_hand.fit_transform(plain.iloc[training]).astype(np.float32)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(features, frame.ill.iloc[training])
    scores = model.predict_proba(by_hand.transform(plain.iloc[test]).astype(np.float32))
    assert np.array_equal(finished.rows, test)
    assert np.array_equal(finished.raw, scores)
    told = {column.column: column for column in finished.columns}
    assert told["age"].gaps == frame.age.iloc[training].isna().sum()
    assert (told["age"].outputs, told["sex"].outputs, told["smoker"].outputs) == (2, 3, 1)


def _marks_of_age():
    from sklearn.impute import MissingIndicator

    return MissingIndicator(error_on_new=False)


def _levels():
    return OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist", sparse_output=False)


def test_an_object_and_the_same_steps_give_the_same_predictions(tmp_path, slots):
    frame = patients()[["age", "stage", "sex", "ill"]]
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    transformer = ColumnTransformer(
        [("n", numbers, ["age", "stage"]), ("c", OneHotEncoder(sparse_output=False), ["sex"])]
    )
    steps = [
        {"columns": ["age", "stage"], "steps": ["SimpleImputer", "StandardScaler"]},
        {"columns": "text", "steps": {"OneHotEncoder": {"sparse_output": False}}},
    ]
    one, (job,) = train_some(given(tmp_path / "a", NET, frame, transformer), [(0, 1)], slots)
    other, (same,) = train_some(given(tmp_path / "b", NET, frame, steps), [(0, 1)], slots)
    assert outcome(one) == outcome(other)
    assert job.key != same.key, "they are written otherwise"
    _, (equal,) = train_some(given(tmp_path / "c", NET, frame, transformer), [(0, 1)], slots)
    assert job.key == equal.key
    changed = transformer.set_params(n__simpleimputer__strategy="median")
    _, (new,) = train_some(given(tmp_path / "d", NET, frame, changed), [(0, 1)], slots)
    assert job.key != new.key


def test_an_estimator_that_takes_gaps_and_categories_gets_them(tmp_path, slots):
    frame = patients().drop(columns=["sex", "note", "admitted"])
    records, (job,) = train_some(given(tmp_path, BOOSTED, frame, "none"), [(0, 0)], slots)
    outcome(records)
    from sklearn.ensemble import HistGradientBoostingClassifier

    with launched(Run(parse_study(given(tmp_path, BOOSTED, frame, "none")), Display("quiet"))) as r:
        training, test = np.load(r.jobs[0].train_path), np.load(r.jobs[0].test_path)
    model = HistGradientBoostingClassifier(random_state=job.model_seed)
    features = frame.drop(columns="ill")
    model.fit(features.iloc[training], frame.ill.iloc[training])
    assert np.array_equal(
        read_fold(job.store, job.key).raw, model.predict_proba(features.iloc[test])
    )


ESTIMATORS = (
    SEARCH
    + """
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

class Sees(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        assert "rare" not in list(X["site"].cat.categories), list(X["site"].cat.categories)
        # Not as it stands here: the pattern is in memory, too.
        if any(re.search(b"zebr[a]-quokka", part) for part in memory()):
            raise RuntimeError("the marked text is in memory")
        return self

    def predict_proba(self, X):
        assert "rare" in list(X["site"].cat.categories)
        return np.full((len(X), 2), 0.5)

    def predict(self, X):
        return self.classes_[np.zeros(len(X), int)]

class Narrow(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        assert set(y) <= {0, 1}
        self.width = 1 + int(X["age"].isna().sum() % 2)
        return self
    def transform(self, X):
        return np.repeat(X["stage"].to_numpy()[:, None], self.width, axis=1)

class Fails(Narrow):
    def fit(self, X, y=None):
        raise ValueError("not like this\\nor that")

class Fewer(Narrow):
    def transform(self, X):
        return np.zeros((3, 2))

class Draws(Narrow):
    def transform(self, X):
        return X[["stage"]].to_numpy() + self.shift
    def fit(self, X, y=None):
        self.shift = np.random.normal()
        return self

number = 5
"""
)


@pytest.fixture
def name(tmp_path, monkeypatch, request):
    """The name of a module of estimators in the working directory, new in each test."""
    monkeypatch.chdir(tmp_path)
    return own_module(request.node.name, ESTIMATORS)


def test_no_test_row_is_in_memory_and_no_category_of_one(tmp_path, slots, name):
    frame = patients()[["age", "site", "note", "ill"]]
    frame["fold"] = np.arange(ROWS) % 2
    frame["site"] = frame.site.cat.add_categories("rare")
    frame.loc[0::2, "note"] = [f"zebra-quokka {i}" for i in range(ROWS // 2)]
    frame.loc[0::2, "site"] = "rare"
    study = given(
        *(tmp_path, f"{name}:Sees", frame, "none"),
        split={"method": "predefined", "fold_column": "fold", "n_splits": 2},
    )
    records, _ = train_some(study, [(0, 0)], slots)  # the other one trains on the marked rows
    assert records[0].error is None, records[0].traceback


def test_the_search_finds_what_is_there(tmp_path, slots, name):
    frame = patients()[["age", "site", "note", "ill"]].assign(note="zebra-quokka")
    with pytest.raises(InputError, match="the marked text is in memory"):
        train_some(given(tmp_path, f"{name}:Sees", frame, "none"), [(0, 0)], slots)


def test_widths_may_differ_between_folds(tmp_path, slots, name):
    places = [(0, fold) for fold in range(5)]
    records, jobs = train_some(given(tmp_path, NET, None, f"{name}:Narrow"), places, slots)
    one = outcome(records)
    again, _ = train_some(
        given(tmp_path / "b", NET, None, f"{name}:Narrow", train={"engine": "plain"}),
        places[::-1],
        slots,
    )
    assert one == outcome(again[::-1])
    frame = patients()
    widths = {
        1
        + int(
            frame.age.iloc[np.setdiff1d(np.arange(ROWS), read_fold(j.store, j.key).rows)]
            .isna()
            .sum()
            % 2
        )
        for j in jobs
    }
    assert widths == {1, 2}, "the folds of this test are meant to differ"


def test_what_a_transformer_draws_is_seeded_by_the_fold(tmp_path, slots, name):
    one, _ = train_some(given(tmp_path / "a", NET, None, f"{name}:Draws"), [(0, 0)], slots)
    other, _ = train_some(given(tmp_path / "b", NET, None, f"{name}:Draws"), [(0, 0)], slots)
    assert outcome(one) == outcome(other)


LINES = [
    ("{n}:Fails", "{n}:Fails fails on the training rows (ValueError: not like this) in {n}.py"),
    ("{n}:Fewer", "{n}:Fewer returns shape (3, 2) for 192 rows; a transformer keeps the rows"),
    ("{n}:number", "module '{n}' has no class 'number'; check the name"),
    ("{n}:Narow", "module '{n}' has no class 'Narow'; check the name"),
    ("nowhere:Thing", "no module 'nowhere'"),
    ("standard", "unknown 'standard'; use one of auto, none, or module:object, or a list"),
    (["StandardScalr"], "sklearn has no 'StandardScalr'; did you mean StandardScaler?"),
    ([{"PCA": {"n_component": 2}}], "PCA cannot be made ('n_component': did you mean n_components"),
    (["StandardScaler"], "a list of steps (StandardScaler) fails on the training rows (ValueError"),
    ([{"columns": ["agee"], "steps": "drop"}], "no column 'agee'; did you mean age?"),
    ([{"columns": ["age"], "steps": "drop"}], "column 'stage' is in no part; add columns: rest"),
    ("none", "leaves column 'sex' as str, but a Keras model takes numbers; encode it"),
]


@pytest.mark.parametrize(("preprocess", "problem"), LINES)
def test_what_cannot_preprocess_is_one_line_before_anything_trains(
    tmp_path, slots, name, preprocess, problem
):
    if isinstance(preprocess, str):
        preprocess = preprocess.replace("{n}", name)
    with pytest.raises(InputError) as caught:
        train_some(given(tmp_path / "out", NET, None, preprocess), [(0, 0)], slots)
    assert problem.replace("{n}", name) in str(caught.value)
    assert str(caught.value).startswith("data.preprocess: ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "folds").exists()


def test_gaps_that_none_leaves_are_named_before_a_net_sees_them(tmp_path, slots):
    frame = patients()[["age", "stage", "ill"]]
    with pytest.raises(InputError, match="none leaves 23 gaps in the training rows"):
        train_some(given(tmp_path, NET, frame, "none"), [(0, 0)], slots)
    with pytest.raises(InputError, match="LogisticRegression fails on what none leaves"):
        train_some(given(tmp_path, LINEAR, frame, "none"), [(0, 0)], slots)


def test_scaling_is_said_once(tmp_path):
    with pytest.raises(InputError, match=r"train\.scaler: data\.preprocess says all"):
        parse_study(given(tmp_path, NET, None, "none", train={"scaler": "minmax"}))


def test_complete_numbers_need_no_table(tmp_path):
    """`auto` of plain numbers is what it was: one array, the same digest, no word in the key."""
    frame = patients()[["stage", "smoker", "ill"]]
    with launched(Run(parse_study(given(tmp_path, NET, frame)), Display("quiet"))) as run:
        assert not run.dataset.columns
        assert "preprocess" not in run.key
        assert "preprocess" not in run.key["data"]["settings"]
        assert {path.name for path in run.dataset.folder.iterdir()} >= {"features.npy"}
    with_gap = frame.assign(stage=frame.stage.where(frame.index != 3))
    with launched(Run(parse_study(given(tmp_path, NET, with_gap)), Display("quiet"))) as run:
        assert run.key["preprocess"]["steps"] == "auto"


def test_a_frame_an_array_and_a_file_with_gaps_are_the_same_data(tmp_path):
    frame = patients()[["age", "stage", "sex", "note", "ill"]]
    frame.to_csv(tmp_path / "data.csv", index=False)
    frame.to_parquet(tmp_path / "data.parquet")
    keys = []
    for source in (frame, str(tmp_path / "data.csv"), str(tmp_path / "data.parquet")):
        with launched(Run(parse_study(given(tmp_path, NET, source)), Display("quiet"))) as run:
            keys.append(json.dumps(run.key, sort_keys=True))
    assert len(set(keys)) == 1


def noise() -> pd.DataFrame:
    """A table that tells nothing of its target, with a category that nearly names each row."""
    random = np.random.default_rng(3)
    table = pd.DataFrame(random.normal(size=(120, 5000)).astype(np.float32))
    table.columns = [f"x{place}" for place in range(5000)]
    table["ward"] = [f"ward {place // 2}" for place in random.permutation(120)]
    table["ill"] = random.permutation(np.repeat(["yes", "no"], 60))
    return table


SELECTION = [
    {"columns": "numeric", "steps": {"SelectKBest": {"k": 20}}},
    {"columns": "rest", "steps": "drop"},
]
ENCODING = [{"columns": ["ward"], "steps": "TargetEncoder"}, {"columns": "rest", "steps": "drop"}]


@pytest.mark.parametrize("steps", [SELECTION, ENCODING], ids=["selection", "target encoding"])
def test_what_is_fitted_inside_the_folds_finds_nothing_in_noise(tmp_path, slots, steps):
    """Outside of the folds, the same steps give an AUC above 0.9 on the same table."""
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import TargetEncoder

    table = noise()
    target = table.ill == "yes"
    places = [(0, fold) for fold in range(5)]
    records, jobs = train_some(given(tmp_path, LINEAR, table, steps), places, slots)
    outcome(records)
    finished = [read_fold(job.store, job.key) for job in jobs]
    inside = [roc_auc_score(target[fold.rows], fold.raw[:, 1]) for fold in finished]
    if steps is SELECTION:
        leaked = SelectKBest(k=20).fit_transform(table.filter(like="x"), target)
    else:
        leaked = TargetEncoder().fit(table[["ward"]], target).transform(table[["ward"]])
    outside = cross_val_score(LogisticRegression(), leaked, target, cv=5, scoring="roc_auc")
    assert 0.3 < np.mean(inside) < 0.7
    assert np.mean(outside) > 0.8
