"""Samplers in the fold: on the rows that gradients come from, and nowhere else."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.training import settings, train_some

NET = "tests.support.unfit:net"
NEIGHBOURS = {"builder": "sklearn.neighbors:KNeighborsClassifier", "params": {"n_neighbors": 3}}
PLACES = [(0, fold) for fold in range(5)]


def rare(rows=300) -> pd.DataFrame:
    """A table of noise in which one row of ten is positive."""
    random = np.random.default_rng(5)
    table = pd.DataFrame(random.normal(size=(rows, 6)).round(3), columns=list("abcdef"))
    return table.assign(y=(np.arange(rows) % 10 == 0).astype(int))


def given(out, sampler, model=None, **sections):
    train = {"epochs": 3, "sampler": sampler} | sections.pop("train", {})
    data = {"source": rare(), "target": "y"} | sections.pop("data", {})
    made = settings(out, NET, data=data, train=train, **sections)
    return made | ({"model": model} if model else {})


def outcome(records):
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return [(record.initial, record.weights, record.predictions) for record in records]


def test_the_bits_are_the_same_on_every_engine(tmp_path, slots):
    one, _ = train_some(given(tmp_path / "a", "SMOTE"), PLACES[:2], slots)
    plain = given(tmp_path / "b", "imblearn.over_sampling:SMOTE", train={"engine": "plain"})
    other, _ = train_some(plain, PLACES[1::-1], slots)
    assert outcome(one) == outcome(other[::-1])
    without, _ = train_some(given(tmp_path / "c", None), PLACES[:2], slots)
    assert outcome(without)[0] != outcome(one)[0]


def test_a_fold_is_what_imbalanced_learn_makes_of_its_training_rows(tmp_path, slots):
    records, (job,) = train_some(
        given(tmp_path, {"SMOTE": {"k_neighbors": 3}}, NEIGHBOURS), [(0, 2)], slots
    )
    outcome(records)
    with launched(Run(parse_study(given(tmp_path, None, NEIGHBOURS)), Display("quiet"))) as run:
        training, test = np.load(run.jobs[2].train_path), np.load(run.jobs[2].test_path)
    features, target = rare().drop(columns="y").to_numpy(np.float32), rare().y.to_numpy()
    scaler = StandardScaler().fit(features[training])
    drawn = SMOTE(k_neighbors=3, random_state=job.preprocessing_seed).fit_resample(
        scaler.transform(features[training]), target[training]
    )
    by_hand = KNeighborsClassifier(3).fit(*drawn).predict_proba(scaler.transform(features[test]))
    assert np.array_equal(read_fold(job.store, job.key).raw, by_hand)


def test_inside_the_folds_noise_stays_noise(tmp_path, slots):
    """Resampled beforehand, copies of test rows are in training, and AUC is far above chance."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_score

    records, jobs = train_some(given(tmp_path, "SMOTE", NEIGHBOURS), PLACES, slots)
    outcome(records)
    target = rare().y.to_numpy()
    finished = [read_fold(job.store, job.key) for job in jobs]
    inside = [roc_auc_score(target[fold.rows], fold.raw[:, 1]) for fold in finished]
    drawn = SMOTE(random_state=0).fit_resample(rare().drop(columns="y"), target)
    before = cross_val_score(KNeighborsClassifier(3), *drawn, cv=5, scoring="roc_auc")
    assert 0.3 < np.mean(inside) < 0.7
    assert np.mean(before) > 0.8


def test_held_out_rows_and_the_report_count_real_rows(tmp_path, slots):
    stopping = {"epochs": 4, "early_stopping": {"patience": 1, "fraction": 0.25}}
    one, _ = train_some(given(tmp_path, "SMOTE", train=stopping), [(0, 0)], slots)
    outcome(one)
    weighted = train_some(
        given(tmp_path / "b", "SMOTE", train=stopping | {"class_weight": "balanced"}),
        [(0, 0)],
        slots,
    )[0]
    assert outcome(one) == outcome(weighted), "after SMOTE classes are balanced: weights are one"


LINES = [
    (
        {"SMOTE": {"k_neighbour": 2}},
        "SMOTE cannot be made ('k_neighbour': did you mean k_neighbors",
    ),
    ("SMOT", "imblearn has no 'SMOT'; did you mean SMOTE?"),
    (
        {"SMOTE": {"k_neighbors": 200}},
        "SMOTE fails on the training rows (ValueError: Expected n_nei",
    ),
    ("sklearn.preprocessing:StandardScaler", "has no fit_resample; give a sampler"),
]


@pytest.mark.parametrize(("sampler", "problem"), LINES)
def test_what_cannot_resample_is_one_line(tmp_path, slots, sampler, problem):
    with pytest.raises(InputError) as caught:
        train_some(given(tmp_path / "out", sampler), [(0, 0)], slots)
    assert str(caught.value).startswith("train.sampler: ")
    assert problem in str(caught.value)
    assert not (tmp_path / "out" / "folds").exists()


def test_weights_of_rows_and_values_cannot_be_resampled(tmp_path, slots):
    weighted = {"source": rare().assign(w=1.0), "weights": "w"}
    with pytest.raises(InputError, match=r"train\.sampler: rows that it makes up would have no"):
        train_some(given(tmp_path, "SMOTE", data=weighted), [(0, 0)], slots)
    values = {"source": "diabetes", "target": None}
    with pytest.raises(InputError, match=r"train\.sampler: a regression has no classes"):
        train_some(given(tmp_path, "SMOTE", data=values), [(0, 0)], slots)


def test_no_sampler_is_in_no_key(tmp_path):
    with launched(Run(parse_study(given(tmp_path, None)), Display("quiet"))) as run:
        assert "sampler" not in run.key["train"]
    with launched(Run(parse_study(given(tmp_path, "SMOTE")), Display("quiet"))) as run:
        assert run.key["train"]["sampler"] == {"name": "SMOTE", "params": {}}
        assert "imbalanced-learn" in run.key["model"]["distributions"]
