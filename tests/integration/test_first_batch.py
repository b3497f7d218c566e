"""What cannot train is one line before the first fold, and what can train is not refused."""

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.support.training import settings

TOKENS = DataSpec.from_arrays(
    np.random.default_rng(0).integers(0, 50, (80, 8)), np.arange(80) % 2, positive=1
)
STOP = {"monitor": "val_good_metric"}
ONE_HOT = (
    "wants one-hot labels, but labels are numbers of classes; use sparse_categorical_crossentropy"
)
EACH = "wants a target for each of 3 outputs, but labels are numbers of classes; "
ALONE = "wants an output for each class, but the model has one; use binary_crossentropy"
CHANGED = "standard changes the whole numbers that layer 'embedding' looks up"


def tried(folder, slots, builder, source="breast_cancer", params=None, train=None):
    """Check a study whose builder is one of `tests.support.unfit`; return what the user is told."""
    data = {"source": source} if isinstance(source, str) else source
    given = settings(
        folder / "out", builder if ":" in builder else f"tests.support.unfit:{builder}"
    )
    given |= {"data": data, "train": {"epochs": 2, **(train or {})}}
    given["model"] = {**given["model"], "params": params or {}}
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        run.check()
        return run.notices


def refused(*arguments, **keywords):
    with pytest.raises(InputError) as caught:
        tried(*arguments, **keywords)
    line = str(caught.value)
    assert len(line) <= 200
    return line


INPUTS = [
    (
        "two_inputs",
        "the model has 2 inputs (left, right), but features are one array; "
        "name them in data.inputs, or give it one Input of (30,) and divide that inside",
    ),
    (
        "named_inputs",
        "the model has 2 inputs (left, right), but features are one array; "
        "name them in data.inputs, or give it one Input of (30,) and divide that inside",
    ),
    ("two_outputs", "the model has several outputs; return one"),
    (
        "stateful",
        "a stateful layer needs batches of one size, which the last of a fold has not; "
        "leave stateful=True out",
    ),
    (
        "ten_rows",
        "the model takes 10 rows at a time, but batches differ in size; "
        "leave the batch size out of its Input",
    ),
    (
        "other_shape",
        "the model takes samples of shape (10,), but the data's is (30,); "
        "let the builder take input_shape, and hand it to Input",
    ),
    (
        "fails",
        "the model cannot be built on (30,) (RuntimeError: no luck); --verbose shows where",
    ),
    (
        "fails_on_numbers",
        "tests.support.unfit:fails_on_numbers: the model fails on a batch (RuntimeError: no luck); "
        "--verbose shows where",
    ),
    (
        "numpy_loss",
        "tests.support.unfit:numpy_loss: a training step on 32 rows fails (AttributeError: "
        "'SymbolicTensor' object has no attribute 'numpy'); --verbose shows where",
    ),
    (
        "numpy_metric",
        "tests.support.unfit:numpy_metric: a training step on 32 rows fails (AttributeError: "
        "'SymbolicTensor' object has no attribute 'numpy'); --verbose shows where",
    ),
]


@pytest.mark.parametrize(("builder", "problem"), INPUTS)
def test_a_model_that_cannot_take_a_batch_is_one_line(tmp_path, slots, builder, problem):
    assert refused(tmp_path, slots, builder) == f"model.builder: {problem}"


@pytest.mark.parametrize(
    ("loss", "problem"),
    [
        ("categorical_crossentropy", ONE_HOT),
        ("CategoricalCrossentropy", ONE_HOT),
        ("binary_crossentropy", EACH + "use sparse_categorical_crossentropy"),
        ("mse", EACH + "use sparse_categorical_crossentropy"),
        ("hinge", EACH + "use sparse_categorical_crossentropy"),
    ],
)
def test_a_loss_that_does_not_fit_classes_is_one_line(tmp_path, slots, loss, problem):
    given = {"source": "iris", "params": {"end": "softmax"}, "train": {"loss": loss}}
    assert refused(tmp_path, slots, "net", **given) == f"train.loss: {loss} {problem}"


def test_a_loss_of_the_builder_is_its_own_to_change(tmp_path, slots):
    params = {"end": "softmax", "loss": "categorical_crossentropy"}
    expected = f"model.builder: compiled with categorical_crossentropy, which {ONE_HOT}"
    assert refused(tmp_path, slots, "net", source="iris", params=params) == expected


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_one_output_has_no_classes_to_compare(tmp_path, slots, loss):
    found = refused(tmp_path, slots, "net", train={"loss": loss})
    assert found == f"train.loss: {loss} {ALONE}"


def test_a_softmax_of_one_unit_needs_a_sigmoid(tmp_path, slots):
    loss = "sparse_categorical_crossentropy"
    found = refused(tmp_path, slots, "net", params={"end": "softmax", "loss": loss})
    remedy = f"{ALONE}, and sigmoid: softmax of one unit is always 1"
    assert found == f"model.builder: compiled with {loss}, which {remedy}"


def test_a_regression_is_no_share(tmp_path, slots):
    given = {"source": "diabetes", "train": {"loss": "binary_crossentropy"}}
    assert refused(tmp_path, slots, "net", **given) == (
        "train.loss: binary_crossentropy wants targets from 0 to 1, "
        "but they go from 37 to 346; use mse"
    )


@pytest.mark.parametrize("end", ["linear", "tanh"])
def test_an_output_that_is_no_probability_is_one_line(tmp_path, slots, end):
    found = refused(tmp_path, slots, "net", params={"end": end})
    assert found.startswith("model.builder: the output lies in [-")
    assert found.endswith(
        "], not in [0, 1]; end the model in sigmoid or softmax, or compile it with from_logits=True"
    )


@pytest.mark.parametrize(
    ("train", "line"),
    [
        ({"optimizer": "adam_v2"}, "train.optimizer: 'adam_v2' is none of Keras's; did you mean"),
        ({"optimizer": "RMSPropp"}, "train.optimizer: 'RMSPropp' is none of Keras's; did you mean"),
        ({"optimizer": "keras.optimizers.Adan"}, "train.optimizer: 'Adan' is none of Keras's"),
        ({"optimizer": "Optimizer"}, "train.optimizer: 'Optimizer' is none of Keras's; use one"),
        ({"optimizer": "LossScaleOptimizer"}, "train.optimizer: 'LossScaleOptimizer' is none"),
        ({"optimizer": "function"}, "train.optimizer: 'function' is none of Keras's; use one of"),
        ({"loss": "Loss"}, "train.loss: 'Loss' is none of Keras's; use one of its names, such as"),
        ({"loss": "crossentropy"}, "train.loss: 'crossentropy' is none of Keras's; did you mean"),
        ({"loss": "Binary-Crossentropy"}, "train.loss: 'Binary-Crossentropy' is none of Keras's;"),
    ],
)
def test_a_name_that_keras_does_not_know_is_one_line(tmp_path, slots, train, line):
    assert refused(tmp_path, slots, "net", train=train).startswith(line)


def test_the_nearest_name_is_told_whole(tmp_path, slots):
    found = refused(tmp_path, slots, "net", train={"optimizer": "Adan"})
    assert found == "train.optimizer: 'Adan' is none of Keras's; did you mean adam?"


def test_a_monitor_is_there_and_has_a_direction(tmp_path, slots):
    assert refused(tmp_path, slots, "own_metric", train={"early_stopping": STOP}) == (
        "train.early_stopping.mode: Keras cannot tell whether 'val_good_metric' should be high or "
        'low; add "mode": "max" (or "min") to train.early_stopping'
    )
    assert refused(tmp_path, slots, "net", train={"early_stopping": STOP}) == (
        "train.early_stopping.monitor: the model has no 'val_good_metric'; "
        "use one of loss, val_loss"
    )
    chosen = {"early_stopping": {**STOP, "mode": "max"}}
    assert tried(tmp_path, slots, "own_metric", train=chosen) == []


@pytest.mark.parametrize("how", ["plain", "sliced", "reshaped", "cast", "lambda"])
def test_tokens_are_not_scaled_unless_asked_for(tmp_path, slots, how):
    expected = f"train.scaler: {CHANGED}; add --train.scaler none"
    assert refused(tmp_path, slots, "tokens", source=TOKENS, params={"how": how}) == expected
    given = {"source": TOKENS, "params": {"how": how}}
    assert tried(tmp_path, slots, "tokens", train={"scaler": "none"}, **given) == []
    told = tried(tmp_path, slots, "tokens", train={"scaler": "standard"}, **given)
    assert told == [f"train.scaler: {CHANGED}; without it: --train.scaler none"]


def test_a_subclassed_model_shows_its_tokens_by_what_it_does(tmp_path, slots):
    expected = f"train.scaler: {CHANGED}; add --train.scaler none"
    assert refused(tmp_path, slots, "looks", source=TOKENS) == expected


def test_a_token_without_a_place_is_one_line(tmp_path, slots):
    given = {"source": TOKENS, "params": {"places": 20}, "train": {"scaler": "none"}}
    assert refused(tmp_path, slots, "tokens", **given) == (
        "model.builder: layer 'embedding' has places for 0 to 19, but the data go up to 49; "
        "give it input_dim 50"
    )


SOUND = [
    ("net", "breast_cancer", {}, {}),
    ("net", "breast_cancer", {}, {"loss": "mse"}),
    ("net", "breast_cancer", {}, {"loss": "hinge", "optimizer": "ADAM"}),
    ("net", "breast_cancer", {"units": 2, "end": "softmax"}, {}),
    ("net", "breast_cancer", {"end": "softmax"}, {}),
    ("net", "iris", {"end": "softmax"}, {"class_weight": "balanced"}),
    ("net", "diabetes", {"end": "linear"}, {"loss": "huber"}),
    ("own_step", "iris", {}, {}),
    ("ten_rows_in_name_only", "breast_cancer", {}, {}),
    ("bins", "breast_cancer", {}, {}),
    ("tests.support.zoo:own_fit", "breast_cancer", {}, {}),
    ("tests.support.zoo:two_parts", "breast_cancer", {}, {"early_stopping": {}}),
    ("tests.support.zoo:logits", "digits", {}, {}),
    ("tests.support.zoo:branches", "breast_cancer", {}, {"early_stopping": {"monitor": "val_auc"}}),
]


@pytest.mark.parametrize(("builder", "source", "params", "train"), SOUND)
def test_what_can_train_passes(tmp_path, slots, builder, source, params, train):
    assert tried(tmp_path, slots, builder, source=source, params=params, train=train) == []


def test_a_model_without_weights_that_train_is_noted(tmp_path, slots):
    told = ["the model has no weights that train; each fold keeps its initial ones"]
    assert tried(tmp_path, slots, "frozen") == told
