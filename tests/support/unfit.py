"""Models that cannot train, each for a reason of its own, and some like them that can.

Imported by workers, never by the tests.
"""

import keras
import numpy as np
from keras import layers


def net(input_shape, n_outputs=1, end="sigmoid", loss=None, metrics=None, units=None):
    """A small net whose end, loss and metrics can be chosen."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(4, activation="relu")])
    model.add(layers.Dense(units or n_outputs, activation=end))
    if loss is not None:
        model.compile("adam", loss, metrics=metrics or [])
    return model


def one_unit(input_shape):
    """Ends in one unit, whatever the task."""
    return net(input_shape)


def two_inputs(input_shape):
    """A model that takes two arrays."""
    parts = [keras.Input(input_shape, name="left"), keras.Input(input_shape, name="right")]
    return keras.Model(parts, layers.Dense(1, "sigmoid")(layers.concatenate(parts)))


def named_inputs(input_shape):
    """A model that takes a dictionary."""
    parts = {
        "left": keras.Input(input_shape, name="left"),
        "right": keras.Input((2,), name="right"),
    }
    joined = layers.concatenate(list(parts.values()))
    return keras.Model(parts, layers.Dense(1, "sigmoid")(joined))


def two_outputs(input_shape):
    """A model that returns two arrays."""
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, [layers.Dense(1, "sigmoid")(inputs) for _ in range(2)])


def stateful(input_shape):
    """A recurrent net that carries its state from batch to batch."""
    inputs = keras.Input(batch_shape=(16, *input_shape))
    hidden = layers.LSTM(2, stateful=True)(layers.Reshape((-1, 2))(inputs))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(hidden))


class TenRows(layers.Layer):
    """A layer that takes exactly ten rows."""

    def call(self, x):
        return keras.ops.reshape(x, (10, 30))


def ten_rows(input_shape):
    """A model that takes ten rows at a time."""
    inputs = keras.Input(batch_shape=(10, *input_shape))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(TenRows()(inputs)))


def ten_rows_in_name_only(input_shape):
    """A model whose Input names ten rows, and that takes any number."""
    inputs = keras.Input(batch_shape=(10, *input_shape))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(inputs))


def other_shape():
    """A model for ten features."""
    return net((10,))


class Fails(keras.Model):
    """A model that fails when it is called."""

    def __init__(self):
        super().__init__()
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        raise RuntimeError("no luck\ntoday")


def fails():
    """Return the model that fails."""
    return Fails()


class FailsOnNumbers(Fails):
    """A model that fails once there are numbers."""

    def call(self, x):
        if hasattr(x, "numpy"):
            raise RuntimeError("no luck")
        return self.out(x)


def fails_on_numbers():
    """Return the model that fails later."""
    return FailsOnNumbers()


def own_loss(y_true, y_pred):
    """A loss that only NumPy understands."""
    return np.mean(np.abs(y_true.numpy() - y_pred.numpy()))


def numpy_loss(input_shape):
    """A model with a loss that works on arrays, not in graphs."""
    return net(input_shape, loss=own_loss)


def numpy_metric(input_shape):
    """A model with a metric that works on arrays, not in graphs."""
    return net(input_shape, loss="mse", metrics=[own_loss])


def good_metric(y_true, y_pred):
    """A metric that Keras does not know."""
    return keras.ops.mean(
        keras.ops.cast(keras.ops.equal(y_true, keras.ops.round(y_pred)), "float32")
    )


def own_metric(input_shape):
    """A model that is compiled with a metric of its own."""
    return net(input_shape, loss="binary_crossentropy", metrics=[good_metric])


class OwnStep(keras.Model):
    """A model whose step unpacks what `fit` hands over, and whose compiled loss is not used."""

    def __init__(self):
        super().__init__()
        self.out = layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.out(x)

    def train_step(self, data):
        x, y = data
        y = keras.ops.one_hot(keras.ops.cast(y, "int32"), 3)
        return super().train_step((x, y))


def own_step():
    """Return a model that makes one-hot labels itself."""
    model = OwnStep()
    model.compile("adam", "categorical_crossentropy")
    return model


def frozen(input_shape):
    """A model without weights that train."""
    model = net(input_shape)
    model.trainable = False
    return model


def tokens(input_shape, how="plain", places=50, cast=False):
    """A net that looks its input up."""
    inputs = keras.Input(input_shape)
    x = inputs
    if how == "sliced":
        x = x[:, 2:6]
    if how == "reshaped":
        x = layers.Flatten()(layers.Reshape((-1, 2))(x))
    if how == "cast":
        x = keras.ops.cast(x, "int32")
    if how == "lambda":
        x = layers.Lambda(lambda t: keras.ops.cast(t[:, :3], "int32"), output_shape=(3,))(x)
    x = layers.GlobalAveragePooling1D()(layers.Embedding(places, 4)(x))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(x))


class Looks(keras.Model):
    """A subclassed model that looks its input up."""

    def __init__(self):
        super().__init__()
        self.table = layers.Embedding(50, 4)
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.out(keras.ops.mean(self.table(keras.ops.cast(x, "int32")), axis=1))


def looks():
    """Return the subclassed model."""
    return Looks()


def bins(input_shape):
    """A net that looks up bins of scaled features, and places: both made inside of it."""
    inputs = keras.Input(input_shape)
    x = layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])(inputs)
    places = keras.ops.arange(input_shape[0])
    x = layers.Embedding(4, 4)(x) + layers.Embedding(input_shape[0], 4)(places)
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.Flatten()(x)))
