"""The contract's "Seeds and order", written once more with nothing of ours.

Run as a process of its own: `python reference_training.py SPEC.json` prints the digests of
one fold, trained by a plain `train_on_batch` loop.
"""

import hashlib
import importlib
import json
import os
import pathlib
import sys

spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(spec["threads"])
os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402


def seed_of(role):
    sequence = np.random.SeedSequence(spec["seed"], spawn_key=(spec["repeat"], spec["fold"], role))
    return int(sequence.generate_state(1)[0]) & 0x7FFFFFFF


def sha256(arrays):
    joined = b"".join(
        np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays
    )
    return hashlib.sha256(joined).hexdigest()


def build():
    sys.path.insert(0, spec["folder"])
    module, _, name = spec["builder"].partition(":")
    builder = getattr(importlib.import_module(module), name)
    wanted = builder.__code__.co_varnames[: builder.__code__.co_argcount]
    several = isinstance(spec["shape"], dict)
    known = {"n_outputs": spec["n_outputs"]}
    if several:
        known["input_shapes"] = {name: tuple(shape) for name, shape in spec["shape"].items()}
    else:
        known["input_shape"] = tuple(spec["shape"])
    keras.utils.set_random_seed(seed_of(0))
    model = builder(**{name: known[name] for name in wanted})
    if not model.built:
        model(np.zeros((spec["batch_size"], *spec["shape"]), np.float32))
    if not model.compiled:
        losses = {
            **dict.fromkeys(("binary", "multilabel"), "binary_crossentropy"),
            "multiclass": "sparse_categorical_crossentropy",
        }
        model.compile(keras.optimizers.Adam(0.001), losses.get(spec["task"], "mse"))
    return model


class Scaled:
    """The features of an input, scaled by its training rows: those, and all."""

    def __init__(self, values, train):
        flat = values.astype(np.float32).reshape(len(values), -1)
        scaler = StandardScaler().fit(flat[train])
        self.train = scaler.transform(flat[train]).reshape(len(train), *values.shape[1:])
        self.all = scaler.transform(flat).reshape(values.shape)


def main():
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.threading.set_intra_op_parallelism_threads(spec["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(spec["threads"])
    data = np.load(spec["data"])
    train, test = np.sort(data["train"]), np.sort(data["test"])
    targets = data["y"]
    several = isinstance(spec["shape"], dict)
    parts = {name: Scaled(data[name], train) for name in (spec["shape"] if several else ["X"])}

    def rows(places, of):
        """Return rows of all inputs, by name where there are several."""
        taken = {name: getattr(part, of)[places] for name, part in parts.items()}
        return taken if several else taken["X"]

    y = targets[train]
    if spec["task"] == "multiclass":
        y = y.astype(np.int32)
    else:
        y = y if spec["task"] == "array" else y.reshape(len(y), -1)
        if spec["target_scaler"] != "none":
            y = StandardScaler().fit_transform(y)
        y = y.astype(np.float32)
    model = build()
    initial = sha256(model.get_weights())
    order = np.random.Generator(np.random.PCG64(seed_of(1)))
    for _ in range(spec["epochs"]):
        drawn = order.permutation(len(train))
        for start in range(0, len(train), spec["batch_size"]):
            batch = drawn[start : start + spec["batch_size"]]
            model.train_on_batch(rows(batch, "train"), y[batch])
    model.optimizer.finalize_variable_values(model.trainable_variables)
    raw = model.predict(rows(test, "all"), batch_size=spec["batch_size"], verbose=0)
    found = {
        "initial": initial,
        "weights": sha256(model.get_weights()),
        "predictions": sha256([raw]),
    }
    print(json.dumps(found))


main()
