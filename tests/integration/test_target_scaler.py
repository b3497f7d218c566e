"""Targets of regressions, scaled on training rows and turned back before anything is measured."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.evaluation.tables import score_fold
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.reference import reference
from tests.support.training import settings, train_some

RIDGE = {"builder": "sklearn.linear_model:Ridge", "params": {"alpha": 5.0}}
STOPPING = {"patience": 1, "fraction": 0.3}


def given(out, scaler="standard", model=None, **sections):
    train = {"epochs": 3, "target_scaler": scaler} | sections.pop("train", {})
    data = {"source": "diabetes"} | sections.pop("data", {})
    made = settings(out, "values", data=data, train=train, **sections)
    return made | ({"model": model} if model else {})


def digests(records):
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return [(record.initial, record.weights, record.predictions) for record in records]


def test_the_bits_are_those_of_a_loop_by_hand_on_every_engine(tmp_path, slots):
    places = [(0, 2), (0, 1)]
    one, _ = train_some(given(tmp_path / "a"), places, slots)
    other, _ = train_some(given(tmp_path / "b", train={"engine": "plain"}), places[::-1], slots)
    auto, _ = train_some(given(tmp_path / "c", "auto"), places[:1], slots)
    assert digests(one) == digests(other)[::-1]
    assert digests(auto) == digests(one)[:1]
    assert digests(one)[0] == reference(given(tmp_path / "d"), places[0], tmp_path, slots)
    without, _ = train_some(given(tmp_path / "e", "none"), places[:1], slots)
    assert digests(without)[0][1] != digests(one)[0][1]


def test_predictions_are_in_the_unit_of_the_target(tmp_path, slots):
    records, (job,) = train_some(given(tmp_path), [(0, 0)], slots)
    digests(records)
    target, fold = load_diabetes().target, read_fold(job.store, job.key)
    training = np.setdiff1d(np.arange(len(target)), fold.rows)
    scaler = StandardScaler().fit(target[training].reshape(-1, 1))
    assert np.array_equal(fold.output, scaler.inverse_transform(fold.raw.astype(np.float64)))
    with launched(Run(parse_study(given(tmp_path)), Display("quiet"))) as run:
        found = score_fold(run.dataset, fold, ("neg_mean_absolute_error",))
    by_hand = -mean_absolute_error(target[fold.rows], fold.output[:, 0])
    assert found.metrics["neg_mean_absolute_error"].value == by_hand
    assert np.array_equal(found.predictions.predicted, fold.output[:, 0])


def test_early_stopping_watches_targets_of_the_same_scale(tmp_path, slots):
    one, jobs = train_some(given(tmp_path, train={"early_stopping": STOPPING}), [(0, 0)], slots)
    plain = given(tmp_path / "b", train={"early_stopping": STOPPING, "engine": "plain"})
    other, _ = train_some(plain, [(0, 0)], slots)
    assert digests(one) == digests(other)
    history = read_fold(jobs[0].store, jobs[0].key).history
    assert all(value < 5 for _, name, value in history if name in ("loss", "val_loss"))


def test_an_estimator_learns_scaled_values_where_that_is_asked_for(tmp_path):
    found = {
        scaler: train_some(given(tmp_path / scaler, scaler, RIDGE), [(0, 1)])
        for scaler in ("none", "auto", "standard")
    }
    said = {scaler: records[0].predictions for scaler, (records, _) in found.items()}
    assert said["none"] == said["auto"] != said["standard"]
    features, target = load_diabetes(return_X_y=True)
    (job,) = found["standard"][1]
    fold = read_fold(job.store, job.key)
    training = np.setdiff1d(np.arange(len(target)), fold.rows)
    scaler = StandardScaler().fit(features[training].astype(np.float32))
    whole = TransformedTargetRegressor(Ridge(alpha=5.0), transformer=StandardScaler())
    whole.fit(scaler.transform(features[training].astype(np.float32)), target[training])
    by_hand = whole.predict(scaler.transform(features[fold.rows].astype(np.float32)))
    np.testing.assert_allclose(fold.output[:, 0], by_hand, rtol=1e-6)


def test_a_target_of_a_test_row_changes_no_weight(tmp_path, slots):
    features, target = load_diabetes(return_X_y=True)
    found = []
    for huge in (0.0, 1e9):
        told = np.where(np.arange(len(target)) == 0, target + huge, target)
        data = DataSpec.from_arrays(features, told, task="regression")
        made = given(tmp_path, data={}) | {"data": data}
        with launched(Run(parse_study(made), Display("quiet"))) as run:
            test = [np.load(job.test_path) for job in run.jobs]
        place = (0, next(number for number, rows in enumerate(test) if 0 in rows))
        records, _ = train_some(made, [place, (0, (place[1] + 1) % 5)], slots)
        found.append(digests(records))
    (tested, trained), (with_huge, trained_with_huge) = found
    assert tested == with_huge
    assert trained[1] != trained_with_huge[1]


@pytest.mark.parametrize("scaler", ["auto", "standard"])
def test_classes_are_not_scaled(tmp_path, scaler):
    told = f"train.target_scaler: {scaler}, but classes are not scaled; leave it out"
    made = given(tmp_path, scaler, data={"source": "iris"})
    run = Run(parse_study(made), Display("quiet"))
    with launched(run), pytest.raises(InputError) as refusal:
        run.check()
    assert str(refusal.value) == told
