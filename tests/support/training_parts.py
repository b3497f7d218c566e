"""Callbacks, optimizers, losses, metrics and nets as users write them, for workers."""

import keras
from keras import layers, ops


def net(input_shape, compiled=False):
    """A net with dropout, which compiles itself where it is asked to."""
    model = keras.Sequential([keras.Input(input_shape), layers.Dense(16, activation="relu")])
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(1, activation="sigmoid"))
    if compiled:
        schedule = keras.optimizers.schedules.CosineDecay(0.02, 40)
        model.compile(
            optimizer=keras.optimizers.AdamW(learning_rate=schedule, weight_decay=0.1),
            loss=keras.losses.BinaryFocalCrossentropy(gamma=3.0),
            metrics=[keras.metrics.AUC(num_thresholds=50)],
        )
    return model


def augmented(input_shape):
    """A net with random layers of images in front, which trains so slowly that nothing changes."""
    inputs = keras.Input(input_shape)
    x = layers.Reshape((8, 8, 1))(inputs)
    x = layers.RandomFlip()(x)
    x = layers.RandomRotation(0.2)(x)
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def half(input_shape, how="layers", optimizer="adam"):
    """A net that computes with float16, by its layers' policies or by the global one."""
    if how == "global":
        keras.config.set_dtype_policy("mixed_float16")
    policy = None if how == "global" else "mixed_float16"
    model = keras.Sequential([keras.Input(input_shape)])
    model.add(layers.Dense(32, activation="relu", dtype=policy))
    model.add(layers.Dense(1, activation="sigmoid", dtype="float32"))
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    return model


class Halving(keras.callbacks.Callback):
    """Divide the learning rate by how many epochs it has seen: shared, it would go on."""

    def __init__(self, start=0.02):
        super().__init__()
        self.start, self.seen = start, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.seen += 1
        self.model.optimizer.learning_rate = self.start / self.seen

    def on_epoch_end(self, epoch, logs=None):
        logs["seen"] = float(self.seen)


class Watching(keras.callbacks.Callback):
    """Say what it watches as Keras's own do."""

    def __init__(self, watched="val_loss"):
        super().__init__()
        self.monitor = watched


class Counting(keras.callbacks.Callback):
    """Count batches."""

    def __init__(self):
        super().__init__()
        self.batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        logs["batches"] = float(self.batches)


def scheduled(start=0.01):
    """Return callbacks of Keras's, one of which calls a function."""
    return [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: start / (1 + epoch)),
        keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=0.02),
    ]


def no_callback():
    """Return something else."""
    return "callback"


def make_optimizer(learning_rate, momentum=0.9):
    """Make an optimizer that takes the settings' learning rate."""
    return keras.optimizers.SGD(learning_rate, momentum=momentum)


def own_loss(y_true, y_pred):
    """Punish large errors."""
    return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)


class Powered(keras.losses.Loss):
    """A loss with a parameter."""

    def __init__(self, power=2.0):
        super().__init__()
        self.power = power

    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(ops.cast(y_true, y_pred.dtype) - y_pred) ** self.power, axis=-1)


def share_right(y_true, y_pred):
    """Return how many rows are right, for Keras."""
    return ops.mean(ops.cast(ops.equal(y_true, ops.round(y_pred)), "float32"))


class Warm(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that grows over its first steps."""

    def __init__(self, top=0.01, steps=20):
        self.top, self.steps = top, steps

    def __call__(self, step):
        return self.top * ops.minimum(1.0, (ops.cast(step, "float32") + 1) / self.steps)

    def get_config(self):
        return {"top": self.top, "steps": self.steps}
