"""The built-in builders: fresh, uncompiled Keras models for the three kinds of task."""

import math
from typing import Any

ACTIVATIONS = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "ordinal": "softmax",
    "multilabel": "sigmoid",
    "count": "softplus",
    "regression": None,
    "array": None,
}


def mlp(
    input_shape: tuple[int, ...],
    n_outputs: int,
    task: str,
    hidden: tuple[int, ...] = (32, 16),
    activation: str = "relu",
    dropout: float = 0.2,
) -> Any:
    """Build a multilayer perceptron.

    Args:
        input_shape: the shape of one sample; more than one axis is flattened.
        n_outputs: 1 for binary, else the number of classes, labels or values.
        task: binary or multilabel (sigmoid), multiclass or ordinal (softmax), count (softplus),
            or regression (linear).
        hidden: units of each hidden layer.
        activation: of the hidden layers.
        dropout: share of hidden units that is dropped while training.
    """
    import keras

    layers = [keras.Input(input_shape)]
    if len(input_shape) > 1:
        layers.append(keras.layers.Flatten())
    for units in hidden:
        layers.append(keras.layers.Dense(units, activation=activation))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(n_outputs, activation=ACTIVATIONS[task]))
    return keras.Sequential(layers)


def cnn(
    input_shape: tuple[int, ...],
    n_outputs: int,
    task: str,
    filters: tuple[int, ...] = (32, 64),
    dense: int = 64,
    dropout: float = 0.0,
) -> Any:
    """Build a convolutional network for images.

    Args:
        input_shape: (height, width, channels), (height, width), or (pixels,) of a square.
        n_outputs: 1 for binary and regression, else the number of classes.
        task: binary (sigmoid), multiclass (softmax) or regression (linear).
        filters: of each 3 x 3 convolution; each is followed by 2 x 2 pooling.
        dense: units of the layer before the output.
        dropout: share of those units that is dropped while training.

    Raises:
        ValueError: the samples are not image-shaped.
    """
    import keras

    layers = [keras.Input(input_shape), keras.layers.Reshape(_image_shape(input_shape))]
    for count in filters:
        layers.append(keras.layers.Conv2D(count, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D(2, padding="same"))
    layers += [keras.layers.Flatten(), keras.layers.Dense(dense, activation="relu")]
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(n_outputs, activation=ACTIVATIONS[task]))
    return keras.Sequential(layers)


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    side = math.isqrt(shape[0])
    if len(shape) == 1 and side * side == shape[0]:
        return side, side, 1
    if len(shape) == 2:
        return shape[0], shape[1], 1
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    raise ValueError(f"samples of shape {shape} are no images; give height x width or a square")
