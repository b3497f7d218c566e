"""Models with several inputs, as users write them; imported by workers, never by the tests."""

import keras
from keras import layers


def two_towers(input_shapes):
    """A part for each input, whatever its shape; the ends are joined."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in input_shapes.items()}
    ends = []
    for each in inputs.values():
        x = layers.Dense(6, activation="relu")(layers.Flatten()(each))
        ends.append(layers.Dropout(0.2)(x))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.concatenate(ends)))


def listed(input_shapes):
    """The same inputs in a list, in another order; names say which is which."""
    inputs = [keras.Input(shape, name=name) for name, shape in reversed(input_shapes.items())]
    x = layers.concatenate([layers.Flatten()(each) for each in inputs])
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.Dense(4, "relu")(x)))


class OwnStep(keras.Model):
    """A subclassed model, left unbuilt, which takes a dict."""

    def __init__(self):
        super().__init__()
        self.parts = {name: layers.Dense(4, "relu") for name in ("cell", "worst")}
        self.out = layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.out(layers.concatenate([part(x[name]) for name, part in self.parts.items()]))


def subclassed():
    return OwnStep()


def tokens(input_shapes):
    """Looks whole numbers up in a table."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in input_shapes.items()}
    x = layers.Flatten()(layers.Embedding(8, 3)(inputs["word"]))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.concatenate([x, inputs["cell"]])))


def other_names(input_shapes):
    inputs = [keras.Input(shape, name=f"my_{name}") for name, shape in input_shapes.items()]
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.concatenate(inputs)))


def too_narrow(input_shapes):
    inputs = {name: keras.Input((3,), name=name) for name in input_shapes}
    joined = layers.concatenate(list(inputs.values()))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(joined))


def one_input():
    return keras.Sequential([keras.Input((10,), name="cell"), layers.Dense(1, "sigmoid")])


def wants_one(input_shape):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(1, "sigmoid")])
