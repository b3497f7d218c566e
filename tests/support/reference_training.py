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
    known = {"input_shape": tuple(spec["shape"]), "n_outputs": spec["n_outputs"]}
    keras.utils.set_random_seed(seed_of(0))
    model = builder(**{name: known[name] for name in wanted})
    if not model.built:
        model(np.zeros((spec["batch_size"], *spec["shape"]), np.float32))
    if not model.compiled:
        losses = {"binary": "binary_crossentropy", "multiclass": "sparse_categorical_crossentropy"}
        model.compile(keras.optimizers.Adam(0.001), losses.get(spec["task"], "mse"))
    return model


def main():
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.threading.set_intra_op_parallelism_threads(spec["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(spec["threads"])
    data = np.load(spec["data"])
    train, test = np.sort(data["train"]), np.sort(data["test"])
    features, targets = data["X"].astype(np.float32), data["y"]
    scaler = StandardScaler().fit(features[train])
    x, y = scaler.transform(features[train]), targets[train]
    y = y.astype(np.int32) if spec["task"] == "multiclass" else y.astype(np.float32).reshape(-1, 1)
    model = build()
    initial = sha256(model.get_weights())
    order = np.random.Generator(np.random.PCG64(seed_of(1)))
    for _ in range(spec["epochs"]):
        rows = order.permutation(len(x))
        for start in range(0, len(x), spec["batch_size"]):
            batch = rows[start : start + spec["batch_size"]]
            model.train_on_batch(x[batch], y[batch])
    model.optimizer.finalize_variable_values(model.trainable_variables)
    raw = model.predict(scaler.transform(features[test]), batch_size=spec["batch_size"], verbose=0)
    found = {
        "initial": initial,
        "weights": sha256(model.get_weights()),
        "predictions": sha256([raw]),
    }
    print(json.dumps(found))


main()
