"""Nets for a GPU, up to one that a share of it does not suffice for; imported by workers only."""

import keras
import tensorflow as tf
from keras import layers

SIDE, CHANNELS = 128, 64  # of what a layer of `deep` keeps: 4 MiB a row


def conv(input_shape, n_outputs):
    """Convolutions with batch normalization and dropout."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(n_outputs, activation="softmax"),
        ]
    )


def recurrent(input_shape, n_outputs):
    """An LSTM as cuDNN has it: without dropout between its steps."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((8, 8)),
            layers.LSTM(64, dropout=0.2),
            layers.Dense(n_outputs, activation="softmax"),
        ]
    )


def deep(input_shape, n_outputs, depth):
    """Convolutions whose outputs are all kept until their gradients are there."""
    model = keras.Sequential([keras.Input(input_shape), layers.Reshape((8, 8, 1))])
    model.add(layers.UpSampling2D(SIDE // 8))
    for _ in range(depth):
        model.add(layers.Conv2D(CHANNELS, 3, padding="same", activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(n_outputs, activation="softmax"))
    return model


class Hungry(layers.Layer):
    """A layer that takes memory while it trains on an even number of rows, and adds nothing."""

    def __init__(self, mib):
        super().__init__()
        self.count = mib * 2**18  # of float32

    def call(self, x, training=False):
        if not training:
            return x
        is_even = tf.equal(tf.shape(x)[0] % 2, 0)
        taken = tf.fill([tf.where(is_even, self.count, 1)], 0.0)
        return x + taken[0]


def hungry(input_shape, n_outputs, mib):
    """A small net with such a layer."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            Hungry(mib),
            layers.Dense(16, activation="relu"),
            layers.Dense(n_outputs, activation="sigmoid"),
        ]
    )
