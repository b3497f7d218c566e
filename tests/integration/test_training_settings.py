"""Callbacks, optimizers, losses, metrics, mixed precision: the same bits on every engine."""

from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.training import settings, train_some

PARTS = "tests.support.training_parts"
NET = f"{PARTS}:net"
PLATEAU = {"ReduceLROnPlateau": {"monitor": "loss", "patience": 0, "min_delta": 9, "factor": 0.5}}


def fold_of(folder, slots, engine, builder=NET, place=(0, 0), **sections: Any):
    """Train a fold on an engine and return it with its notice."""
    train = {"epochs": 4, "engine": engine, **sections.pop("train", {})}
    given = settings(folder / engine, builder, train=train, **sections)
    [record], [job] = train_some(given, [place], slots)
    assert record.error is None, record.traceback
    return read_fold(job.store, job.key), record.notice


def on_both(folder, slots, builder=NET, **sections: Any):
    """Train a fold on both engines, see that all bits agree, and return it with its notice."""
    plain, _ = fold_of(folder, slots, "plain", builder, **dict(sections))
    fast, notice = fold_of(folder, slots, "auto", builder, **dict(sections))
    for name in ("initial", "weights", "predictions", "history", "epochs_run", "best_epoch"):
        assert getattr(fast, name) == getattr(plain, name), name
    return plain, notice


def series(fold, name):
    """Return a value of each epoch."""
    return [value for _, metric, value in fold.history if metric == name]


CALLBACKS = [
    ([PLATEAU], {}),
    ([PLATEAU], {"optimizer": {"SGD": {"momentum": 0.9}}}),
    (["EarlyStopping", PLATEAU], {"early_stopping": {"patience": 1, "min_delta": 0.02}}),
    ([{f"{PARTS}:scheduled": {"start": 0.02}}], {"epochs": 9}),
]


@pytest.mark.parametrize(("callbacks", "train"), CALLBACKS)
def test_callbacks_between_epochs_keep_the_compiled_model(tmp_path, slots, callbacks, train):
    fold, notice = on_both(tmp_path, slots, train={"callbacks": callbacks, **train})
    assert notice == ""
    assert "learning_rate" in {metric for _, metric, _ in fold.history}


def test_a_plateau_lowers_the_rate_of_each_fold_anew(tmp_path, slots):
    for place in ((0, 0), (0, 1)):
        fold, notice = on_both(tmp_path, slots, place=place, train={"callbacks": [PLATEAU]})
        rates = series(fold, "learning_rate")
        assert rates == pytest.approx([0.001, 0.001, 0.0005, 0.00025])
        assert notice == ""


@pytest.mark.parametrize("callback", [f"{PARTS}:Halving", f"{PARTS}:Counting", "TerminateOnNaN"])
def test_other_callbacks_train_as_plain_keras_which_is_said(tmp_path, slots, callback):
    fold, notice = on_both(tmp_path, slots, train={"callbacks": [callback]})
    name = callback.rpartition(":")[2]
    assert notice == f"the callback {name} is not known to act between epochs only"
    if name == "Counting":
        steps = series(fold, "batches")
        assert steps == [step * steps[0] for step in (1, 2, 3, 4)]


def test_every_fold_has_callbacks_of_its_own(tmp_path, slots):
    train = {"callbacks": [{f"{PARTS}:Halving": {"start": 0.05}}]}
    given = settings(tmp_path / "all", NET, train={"epochs": 2, **train})
    records, jobs = train_some(given, [(0, 0), (0, 1)], slots)
    alone, _ = fold_of(tmp_path, slots, "auto", place=(0, 1), train={"epochs": 2, **train})
    assert [record.error for record in records] == [None, None]
    assert read_fold(jobs[1].store, jobs[1].key).weights == alone.weights
    assert series(alone, "seen") == [1.0, 2.0]


def test_a_function_given_in_python_makes_the_callbacks(tmp_path, slots):
    rates = [0.05, 0.01, 0.002, 0.001]

    def callbacks():
        import keras

        return keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])

    fold, notice = on_both(tmp_path, slots, train={"callbacks": callbacks})
    assert series(fold, "learning_rate") == pytest.approx(rates)
    assert notice == ""


def test_what_the_settings_name_is_what_a_builder_would_compile(tmp_path, slots):
    named = {
        "optimizer": {"adamw": {"weight_decay": 0.1}},
        "learning_rate": {"CosineDecay": {"initial_learning_rate": 0.02, "decay_steps": 40}},
        "loss": {"BinaryFocalCrossentropy": {"gamma": 3.0}},
        "metrics": [{"AUC": {"num_thresholds": 50}}],
    }
    fold, notice = on_both(tmp_path / "named", slots, train=named)
    model = {"params": {"compiled": True}}
    compiled, _ = fold_of(tmp_path / "compiled", slots, "plain", model=model)
    assert (fold.initial, fold.weights) == (compiled.initial, compiled.weights)
    assert fold.history == compiled.history
    assert {"loss", "auc"} == {metric for _, metric, _ in fold.history}
    assert notice == ""


OWN = [
    {"optimizer": {f"{PARTS}:make_optimizer": {"momentum": 0.5}}, "learning_rate": 0.02},
    {"loss": f"{PARTS}:own_loss"},
    {"loss": {f"{PARTS}:Powered": {"power": 1.5}}},
    {
        "optimizer": f"{PARTS}:make_optimizer",
        "metrics": ["accuracy", f"{PARTS}:share_right"],
        "learning_rate": {f"{PARTS}:Warm": {"steps": 9}},
    },
]


def test_what_is_the_users_own_trains_alike_on_both_engines(tmp_path, slots):
    found = {}
    for number, train in enumerate(OWN):
        fold, notice = on_both(tmp_path / str(number), slots, train=train)
        assert notice == ""
        found[number] = fold
    assert len({fold.weights for fold in found.values()}) == len(OWN)
    assert {metric for _, metric, _ in found[3].history} == {"loss", "accuracy", "share_right"}


@pytest.mark.parametrize("params", [{}, {"how": "global"}, {"optimizer": "sgd"}])
def test_mixed_precision_has_the_same_bits_on_every_engine(tmp_path, slots, params):
    _, notice = on_both(tmp_path, slots, f"{PARTS}:half", model={"params": params})
    assert notice == ""


def test_mixed_precision_of_a_module_counts_for_its_models_alone(tmp_path, slots):
    before, _ = fold_of(tmp_path / "before", slots, "auto")
    module = "tests.support.half_by_default:net"
    half, notice = on_both(tmp_path / "half", slots, module)
    whole, _ = fold_of(
        tmp_path / "whole", slots, "auto", module, model={"params": {"policy": "float32"}}
    )
    after, _ = fold_of(tmp_path / "after", slots, "auto")
    assert notice == ""
    assert (after.weights, after.predictions) == (before.weights, before.predictions)
    assert half.initial == whole.initial
    assert half.weights != whole.weights


def test_augmentation_differs_by_epoch_and_comes_back_in_another_run(tmp_path, slots):
    still = {"data": {"source": "digits"}, "train": {"learning_rate": 1e-30, "shuffle": False}}
    fold, notice = on_both(tmp_path, slots, f"{PARTS}:augmented", **still)
    losses = series(fold, "loss")
    assert len(set(losses)) == len(losses)  # of the same weights and the same order of rows
    assert notice == ""


def check(given, slots):
    """Check settings up to the first fold."""
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        run.check()


def test_what_watches_the_training_rows_needs_no_early_stopping(tmp_path, slots):
    saves = {"ModelCheckpoint": {"filepath": "a.keras"}}  # each epoch, whatever its value
    watches = {f"{PARTS}:Watching": {"watched": "loss"}}
    check(settings(tmp_path, NET, train={"callbacks": [saves, watches]}), slots)
    held_out = {"callbacks": [f"{PARTS}:Watching"], "early_stopping": {}}
    check(settings(tmp_path, NET, train=held_out), slots)


CALLED = "train.callbacks"
WRONG = [
    ({"callbacks": [{"EarlyStopping": {"patince": 3}}]}, CALLED, "did you mean patience?"),
    ({"callbacks": [{"ReduceLROnPlateau": {"factor": 2}}]}, CALLED, "factor >= 1.0"),
    *(
        ({"callbacks": [one]}, CALLED, f"for '{value}'; set train.early_stopping as well")
        for one, value in (
            ("ReduceLROnPlateau", "val_loss"),
            ({"EarlyStopping": {"monitor": "val_auc"}}, "val_auc"),
            ({"ModelCheckpoint": {"filepath": "a.keras", "save_best_only": True}}, "val_loss"),
            (f"{PARTS}:Watching", "val_loss"),
            ({f"{PARTS}:Nothing": {"monitor": "val_loss"}}, "val_loss"),
        )
    ),
    (
        {"callbacks": [{"EarlyStopping": {"monitor": "acc"}}]},
        f"{CALLED}: EarlyStopping.monitor",
        "the model has no 'acc'; use one of loss",
    ),
    ({"callbacks": [f"{PARTS}:no_callback"]}, CALLED, "must be a callback of Keras's"),
    ({"callbacks": [f"{PARTS}:Nothing"]}, CALLED, "check the name"),
    ({"callbacks": ["nowhere_at_all:Here"]}, f"{CALLED}[0]", "no module 'nowhere_at_all'"),
    (
        {"callbacks": [PLATEAU], "learning_rate": {f"{PARTS}:Warm": {}}},
        CALLED,
        "leave one of the two out",
    ),
    ({"optimizer": "adm"}, "train.optimizer", "did you mean adam?"),
    ({"optimizer": {"adam": {"beta": 1}}}, "train.optimizer", "adam takes no 'beta'; did you"),
    ({"optimizer": f"{PARTS}:own_loss"}, "train.optimizer", "cannot be made"),
    ({"optimizer": f"{PARTS}:no_callback"}, "train.optimizer", "must be an optimizer"),
    (
        {"optimizer": {"adam": {"learning_rate": 0.1}}, "learning_rate": 0.2},
        "train.learning_rate",
        "say it once",
    ),
    ({"learning_rate": {"CosineDecay": {"steps": 3}}}, "train.learning_rate", "decay_steps"),
    ({"loss": {"BinaryFocal": {"gamma": 3}}}, "train.loss", "did you mean binaryfocalcrossentropy"),
    ({"loss": {"Huber": {"detla": 3}}}, "train.loss", "did you mean delta?"),
    ({"metrics": ["acuracy"]}, "train.metrics", "did you mean accuracy?"),
    ({"metrics": [{"AUC": {"curves": "PR"}}]}, "train.metrics", "did you mean curve?"),
]


@pytest.mark.parametrize(("train", "field", "remedy"), WRONG)
def test_what_cannot_be_made_is_one_line_before_anything_trains(
    tmp_path, slots, train, field, remedy
):
    with pytest.raises(InputError) as caught:
        check(settings(tmp_path, NET, train={"epochs": 2, **train}), slots)
    message = str(caught.value)
    assert message.startswith(f"{field}: ") or message.startswith(f"{field}.")
    assert remedy in message
    assert "\n" not in message
    assert not (tmp_path / "folds").exists()


def test_callbacks_of_an_estimator_are_refused(tmp_path, slots):
    model = "sklearn.linear_model:LogisticRegression"
    given = settings(tmp_path, model, train={"callbacks": ["TerminateOnNaN"]})
    with pytest.raises(InputError, match=r"train\.callbacks: has no effect on an estimator"):
        check(given, slots)
