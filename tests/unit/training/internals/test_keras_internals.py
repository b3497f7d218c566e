"""What is used of Keras beyond its documented API is still there, and means the same."""

import inspect

import keras
import numpy as np
import pytest

from foldproof.tasks.config.named.keras_parts import CALLBACK_NAMES, SCHEDULES
from foldproof.tasks.training.internals import keras_internals as internals
from tests.support.contracts import demand, missing


def expect(gone: list[str]) -> None:
    demand("keras", internals.READ_FROM, gone, internals.__name__)


@pytest.fixture
def model() -> keras.Model:
    """A compiled model with a layer inside a layer, dropout and a metric."""
    inner = keras.Sequential([keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    made = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1)])
    made.compile("adam", "mse", metrics=["mae"])
    return made


def test_a_model_has_the_private_names_that_training_uses(model):
    expect(
        [
            *missing(model, "_flatten_layers", "_call_has_training_arg", "_compute_loss"),
            *missing(model, "_loss_tracker", "_get_metrics_result_or_logs", "_compile_metrics"),
            *missing(model._compile_metrics, "_user_metrics", "_user_weighted_metrics"),
            *missing(model, "train_function", *internals.LOSS_METHODS),
        ]
    )


def test_a_layer_has_its_own_variables_and_seeds(model):
    dense = model.layers[-1]
    expect(missing(dense, "_trainable_variables", "_non_trainable_variables", "_seed_generators"))


def test_a_stateless_scope_hears_of_updates_by_a_method():
    expect(missing(keras.StatelessScope, "add_update"))
    variable = keras.Variable(np.zeros(2, np.float32))
    heard = []

    class Scope(keras.StatelessScope):
        def add_update(self, update):
            heard.append(update[0])
            super().add_update(update)

    with Scope([]):
        variable.assign(np.ones(2, np.float32))
    assert heard == [variable], "assigning in a scope does not call add_update"
    assert np.asarray(variable).tolist() == [0, 0]


def test_the_loss_takes_what_a_step_hands_it(model):
    named = inspect.signature(model._compute_loss).parameters
    expect([f"_compute_loss({n}=)" for n in ("x", "y", "y_pred", "training") if n not in named])


def test_layers_are_listed_with_the_model_first_and_nested_ones_too(model):
    layers = internals.all_layers(model)
    assert layers[0] is model
    assert [type(each).__name__ for each in layers[1:]].count("Dense") == 2
    assert len({id(each) for each in layers}) == len(layers)


def test_a_layers_own_variables_hold_the_state_of_its_seed(model):
    dropout = next(each for each in internals.all_layers(model) if "dropout" in each.name)
    assert len(list(internals.own_variables(dropout))) == 1
    assert len(list(internals.own_variables(model.layers[-1]))) == 2
    assert not [v for v in internals.own_variables(model) if v in model.trainable_variables]


def test_loss_and_logs_of_a_batch_are_those_of_keras(model):
    x, y = np.ones((5, 4), np.float32), np.zeros((5, 1), np.float32)
    output = internals.call_in_training(model, x)
    loss = internals.training_loss(model, x, y, output, None)
    assert float(loss) == pytest.approx(float(np.mean(np.square(output))))
    logs = internals.logs_of_step(model, model.compute_metrics(x, y, output))
    assert float(logs["loss"]) == pytest.approx(float(loss))
    assert "mae" in logs


def test_the_metrics_that_a_model_was_compiled_with_are_found(model):
    assert internals.compiled_metrics(model) == [["mae"], None]


def test_optimizers_of_keras_are_told_from_those_of_users():
    class Own(keras.optimizers.Adam):
        pass

    assert internals.is_stock(keras.optimizers.SGD())
    assert not internals.is_stock(Own())


def test_a_loss_of_the_models_own_is_seen(model):
    class Own(keras.Sequential):
        def compute_loss(self, *arguments, **options):
            return 0.0

    assert internals.has_own_loss(Own())
    assert not internals.has_own_loss(model)


def test_fit_calls_what_stands_in_place_of_its_step(model):
    called = []

    def step(iterator):
        called.append(len(next(iterator)[0]))
        return {}

    model.train_on_batch(np.ones((3, 4)), np.ones((3, 1)))
    internals.replace_train_function(model, step)
    model.fit(np.ones((6, 4)), np.ones((6, 1)), batch_size=3, epochs=1, verbose=0)
    assert called == [3, 3]


def test_the_learning_rate_is_a_variable_or_the_schedule_that_was_given():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    given = keras.optimizers.Adam(schedule)
    expect(missing(given, "_learning_rate"))
    assert internals.scheduled_rate(given) is schedule
    assert internals.scheduled_rate(keras.optimizers.LossScaleOptimizer(given)) is schedule
    assert isinstance(internals.scheduled_rate(keras.optimizers.Adam(0.1)), keras.Variable)


@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop", "Nadam", "Lion", "AdamW"])
def test_an_optimizer_adds_its_slots_at_the_end(name):
    made = getattr(keras.optimizers, name)()
    before = list(made.variables)
    wrapped = keras.optimizers.LossScaleOptimizer(getattr(keras.optimizers, name)())
    made.build([keras.Variable(np.zeros(2, np.float32))])
    assert [id(variable) for variable in made.variables[: len(before)]] == list(map(id, before))
    assert internals.adds_slots_last(made)
    assert not internals.adds_slots_last(wrapped)


def test_the_names_of_callbacks_and_schedules_are_kerass():
    kinds = {
        keras.callbacks: (keras.callbacks.Callback, CALLBACK_NAMES, {"CallbackList", "History"}),
        keras.optimizers.schedules: (
            keras.optimizers.schedules.LearningRateSchedule,
            SCHEDULES,
            set[str](),
        ),
    }
    for module, (kind, known, left_out) in kinds.items():
        found = {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, kind) and value is not kind
        }
        assert found - left_out == set(known)
