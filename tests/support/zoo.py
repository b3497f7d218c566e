"""Models of many kinds, as users write them; imported by workers, never by the tests."""

import random
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def dense(input_shape, n_outputs):
    """A dense net with batch normalization and dropout."""
    model = keras.Sequential([keras.Input(input_shape)])
    model.add(layers.Flatten())
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.BatchNormalization())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(n_outputs, activation="sigmoid" if n_outputs == 1 else "softmax"))
    return model


def values(input_shape, n_outputs):
    """A dense net for numbers."""
    model = keras.Sequential([keras.Input(input_shape)])
    model.add(layers.Dense(8, activation="relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(n_outputs))
    return model


def many_labels(input_shape, n_outputs):
    """A dense net for labels that may be true together."""
    model = keras.Sequential([keras.Input(input_shape)])
    model.add(layers.Dense(8, activation="relu"))
    model.add(layers.Dense(n_outputs, activation="sigmoid"))
    return model


def mask(input_shape, n_outputs):
    """A conv net that finds where an image has ink; its last axis is one."""
    side = int(n_outputs**0.5)
    model = keras.Sequential([keras.Input(input_shape), layers.Reshape((side, side, 1))])
    model.add(layers.Conv2D(4, 3, padding="same", activation="relu"))
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    return model


def short_mask(input_shape):
    """Ends in too few elements."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(16)])
    model.add(layers.Reshape((4, 4)))
    return model


def conv(input_shape, n_outputs):
    """A conv net that reshapes its flat input."""
    inputs = keras.Input(input_shape)
    x = layers.Reshape((8, 8, 1))(inputs)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.25)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(n_outputs, activation="softmax")(x))


def recurrent(input_shape, n_outputs):
    """An LSTM with dropout on both sides."""
    inputs = keras.Input(input_shape)
    x = layers.Reshape((-1, 2))(inputs)
    x = layers.LSTM(6, dropout=0.2, recurrent_dropout=0.2)(x)
    return keras.Model(inputs, layers.Dense(n_outputs, activation="sigmoid")(x))


class OwnStep(keras.Model):
    """A subclassed model, left unbuilt, with a train_step of its own."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="tanh")
        self.drop = layers.Dropout(0.2)
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x, training=False):
        return self.out(self.drop(self.hidden(x), training=training))

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True), sample_weight=weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        clipped = [tf.clip_by_norm(gradient, 0.5) for gradient in gradients]
        self.optimizer.apply_gradients(zip(clipped, self.trainable_variables, strict=True))
        return {"loss": loss}


def own_step():
    """Return the subclassed model."""
    return OwnStep()


class TwoParts(OwnStep):
    """A train_step that takes exactly what `fit` hands over: x and y."""

    def train_step(self, data):
        x, y = data
        return super().train_step((x, y))


def two_parts():
    """Return the model whose train_step unpacks two values."""
    return TwoParts()


def branches(input_shape):
    """A functional model with two branches, compiled with metrics and a schedule."""
    inputs = keras.Input(input_shape)
    left = layers.Dense(8, activation="relu")(inputs)
    right = layers.GaussianNoise(0.1)(layers.Dense(8, activation="tanh")(inputs))
    joined = layers.Dropout(0.2)(layers.concatenate([left, right]))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(joined))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 20, 0.9)
    model.compile(
        keras.optimizers.AdamW(schedule), "binary_crossentropy", metrics=["accuracy", "auc"]
    )
    return model


def averaged(input_shape):
    """A model whose optimizer keeps an exponential moving average of the weights."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(8, activation="relu")])
    model.add(layers.Dense(1, activation="sigmoid"))
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def accumulating(input_shape):
    """A model whose optimizer accumulates gradients over steps."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(8, activation="relu")])
    model.add(layers.Dense(1, activation="sigmoid"))
    optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=3)
    model.compile(optimizer, "binary_crossentropy")
    return model


def logits(input_shape, n_outputs):
    """A model that ends in logits and says so in its loss."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(n_outputs)])
    kind = (
        keras.losses.BinaryCrossentropy
        if n_outputs == 1
        else (keras.losses.SparseCategoricalCrossentropy)
    )
    model.compile("adam", kind(from_logits=True))
    return model


def two_units(input_shape):
    """A binary model with two softmax units."""
    return keras.Sequential([keras.Input(input_shape), layers.Dense(2, activation="softmax")])


@keras.saving.register_keras_serializable("zoo")
class HiddenNumber(layers.Layer):
    """A layer with a plain Python number that differs per fold and stands in no variable."""

    def build(self, shape):
        self.factor = random.random()
        super().build(shape)

    def call(self, x):
        return x * (1.0 + self.factor)


def hidden_number(input_shape):
    """A model with hidden Python state."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(8, activation="relu")])
    model.add(HiddenNumber())
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


class UnseededNoise(layers.Layer):
    """A layer that draws from TensorFlow's global generator."""

    def call(self, x, training=False):
        return x + tf.random.normal(tf.shape(x), stddev=0.05) if training else x


def unseeded_noise(input_shape):
    """A model with randomness that no seed generator of Keras's holds."""
    model = keras.Sequential([keras.Input(input_shape), UnseededNoise()])
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def branching(input_shape):
    """A builder that branches on the seed: its folds have different architectures."""
    units = int(np.random.randint(4, 8))
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(units, activation="relu")])
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def regularized(input_shape):
    """A model with penalties on weights and activities, and a loss of a layer's own."""
    inputs = keras.Input(input_shape)
    x = layers.Dense(8, activation="relu", kernel_regularizer="l2")(inputs)
    x = layers.ActivityRegularization(l1=0.01)(x)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.RMSprop(0.01, momentum=0.5), "binary_crossentropy")
    return model


class OwnFit(keras.Sequential):
    """A model whose fit adds a callback that changes the learning rate."""

    def fit(self, *args, callbacks=(), **kwargs):
        slower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        return super().fit(*args, callbacks=[*callbacks, slower], **kwargs)


def own_fit(input_shape):
    """A model that trains with a callback of its own."""
    return OwnFit([keras.Input(input_shape), layers.Dense(1, activation="sigmoid")])


class Penalty(layers.Layer):
    """A layer that adds a loss and counts its calls in a variable."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.calls.assign_add(1.0)
        self.add_loss(keras.ops.mean(x) * self.calls * 0.01)
        return x


def penalized(input_shape):
    """A model whose loss grows with a variable that its layer counts up."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(8), Penalty()])
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def clipped(input_shape):
    """A model whose optimizer looks at a whole weight's gradient."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(8, activation="relu")])
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.01, clipnorm=0.1), "binary_crossentropy")
    return model


def half_trained(input_shape):
    """A model with a frozen layer and one that the output does not depend on."""
    inputs = keras.Input(input_shape)
    frozen = layers.Dense(8, activation="relu")
    frozen.trainable = False
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(frozen(inputs)))


def eager_draws(input_shape):
    """A builder that draws its weights from TensorFlow's global generator."""
    model = dense(input_shape, 1)
    model.layers[1].kernel.assign(tf.random.normal(model.layers[1].kernel.shape))
    return model


def counted_draws(input_shape):
    """A builder that draws from a kernel of fixed seeds, which goes on where it stopped."""
    model = dense(input_shape, 1)
    kernel = model.layers[1].kernel
    kernel.assign(tf.raw_ops.RandomUniform(shape=kernel.shape, dtype=tf.float32, seed=1, seed2=2))
    return model


def self_seeded(input_shape):
    """A builder that seeds itself, so that every fold starts from the same weights."""
    keras.utils.set_random_seed(7)
    return dense(input_shape, 1)


def diverging(input_shape):
    """A model whose loss soon is no number."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e6), "mse")
    return model


def few_seeds(input_shape):
    """A builder that draws a seed of its own, from two values only."""
    keras.utils.set_random_seed(random.randrange(2))
    return dense(input_shape, 1)


_at_hand: dict[Any, Any] = {}


def reused(input_shape):
    """A builder that hands out one model again and again."""
    if "model" not in _at_hand:
        _at_hand["model"] = dense(input_shape, 1)
    return _at_hand["model"]


def reused_layer(input_shape):
    """A builder whose new models have one layer in common."""
    layer = _at_hand.setdefault("layer", layers.Dense(4, activation="relu"))
    return keras.Sequential([keras.Input(input_shape), layer, layers.Dense(1, "sigmoid")])


def frozen_base(input_shape):
    """A builder whose models share a layer that does not train, as a pretrained base is shared."""
    base = _at_hand.setdefault("base", layers.Dense(4, activation="relu", trainable=False))
    return keras.Sequential([keras.Input(input_shape), base, layers.Dense(1, "sigmoid")])


def trained_before(input_shape):
    """A builder whose optimizer has taken a step already."""
    model = dense(input_shape, 1)
    model.compile("adam", "binary_crossentropy")
    model.train_on_batch(np.zeros((2, *input_shape)), np.zeros((2, 1)))
    return model
