"""The question this project answers: why do fits in a loop differ, and how do they come back?"""

import json
import subprocess
import sys

import pytest

from foldproof.tasks.training.engines.batch_order import epoch_orders
from tests.support.training import settings, train_some

LOOPS = '''
import hashlib, json, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
from keras import layers
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

X, y = make_blobs(n_samples=100, centers=2, n_features=10, random_state=1)

def build():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(8), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model

def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()

def fit(model):
    model.fit(X, y, epochs=2, verbose=0)
    return digest(model.predict(X, verbose=0))

class Watch(keras.layers.Layer):
    """Records the rows that each training batch holds."""
    seen = []
    def call(self, x, training=False):
        if training:
            Watch.seen.append(np.array(x[:, 0]))
        return x

def orders():
    Watch.seen = []
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((10,)), Watch(), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", run_eagerly=True)
    model.fit(X, y, epochs=3, batch_size=100, verbose=0)
    return [digest(batch) for batch in Watch.seen]

one = build()
print(json.dumps({
    "one model": [fit(one) for _ in range(3)],
    "fresh models": [fit(build()) for _ in range(3)],
    "logistic regression": [
        digest(LogisticRegression().fit(X, y).predict_proba(X)) for _ in range(3)
    ],
    "orders of a seeded fit": orders(),
}))
'''


@pytest.fixture(scope="module")
def loops():
    ended = subprocess.run([sys.executable, "-c", LOOPS], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.strip().splitlines()[-1])


def test_fitting_one_model_in_a_loop_goes_on_from_its_weights(loops):
    assert len(set(loops["one model"])) == 3


def test_fresh_models_without_a_seed_differ(loops):
    assert len(set(loops["fresh models"])) == 3


def test_logistic_regression_is_equal_with_no_effort(loops):
    assert len(set(loops["logistic regression"])) == 1


def test_a_seeded_fit_no_longer_reshuffles_between_epochs(loops):
    """The well-known cure changes the training: this is why the order is ours."""
    assert len(loops["orders of a seeded fit"]) == 3
    assert len(set(loops["orders of a seeded fit"])) == 1


def test_ours_is_equal_ten_times_out_of_ten_and_reshuffles(tmp_path, slots):
    given = settings(tmp_path, "dense", data={"source": "blobs"})
    records, jobs = train_some(given, [(0, 0)] * 10, slots)
    assert {record.error for record in records} == {None}
    assert len({(r.initial, r.weights, r.predictions) for r in records}) == 1
    orders = epoch_orders(80, jobs[0].order_seed, shuffle=True)
    assert len({tuple(next(orders)) for _ in range(10)}) == 10


def test_different_folds_start_from_different_weights(tmp_path, slots):
    records, _ = train_some(settings(tmp_path, "dense"), [(0, 0), (0, 1), (0, 2)], slots)
    assert len({record.initial for record in records}) == 3
