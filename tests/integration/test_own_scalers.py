"""Own scalers: tried in a worker on the training rows of the first fold, never in the flow's."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.support.inputs import own_module
from tests.support.training import settings

SCALERS = """
import numpy as np

class Base:
    def fit(self, X): return self
    def transform(self, X): return X

class Narrow(Base):
    def transform(self, X): return X[:, :2]

class Fewer(Base):
    def transform(self, X): return X[:5]

class NeedsTarget(Base):
    def fit(self, X, y): return self

class Fails(Base):
    def fit(self, X): raise ValueError("not like this\\nand not like that")

class FailsLater(Base):
    def transform(self, X): raise ValueError("not like this")

class Gaps(Base):
    def transform(self, X): return X / np.where(np.arange(X.shape[1]) == 0, 0.0, 1.0)

class Words(Base):
    def transform(self, X): return np.full(X.shape, "a")

class Sparse(Base):
    def transform(self, X):
        from scipy import sparse
        return sparse.csr_matrix(X)

class Knows(Base):
    def fit(self, X, y=None, **more): return self
    def transform(self, X): return (X / 2).astype("float64")[:, :]

class Listed(Base):
    def transform(self, X): return X.tolist()
"""
LINES = [
    (
        "Narrow",
        "own_{n}:Narrow returns shape (455, 2) for (455, 30); "
        "a scaler keeps the shape; select or combine features in the builder",
    ),
    (
        "Fewer",
        "own_{n}:Fewer returns shape (5, 30) for (455, 30); "
        "a scaler keeps the shape; select or combine features in the builder",
    ),
    (
        "NeedsTarget",
        "own_{n}:NeedsTarget.fit needs 'y'; a scaler learns from the features alone; "
        "give it a default",
    ),
    ("Fails", "own_{n}:Fails fails on the training rows (ValueError: not like this)"),
    ("FailsLater", "own_{n}:FailsLater fails on the training rows (ValueError: not like this)"),
    (
        "Gaps",
        "own_{n}:Gaps makes 455 values of the training rows NaN or infinite; "
        "let it return finite numbers",
    ),
    (
        "Words",
        "own_{n}:Words fails on the training rows (ValueError: could not convert string to float: "
        "np.str_('a'))",
    ),
    ("Missing", "module 'own_{n}' has no class 'Missing'; check the name"),
]
BUILDERS = ["tests.support.unfit:net", "sklearn.linear_model:LogisticRegression"]


@pytest.fixture
def name(tmp_path, monkeypatch, request):
    """The name of a module of scalers in the working directory, new in each test."""
    monkeypatch.chdir(tmp_path)
    return own_module(request.node.name, SCALERS)


def tried(folder, slots, builder, scaler):
    given = settings(folder / "out", builder, train={"epochs": 1, "scaler": scaler})
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        run.check()


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize(("scaler", "problem"), LINES)
def test_a_scaler_that_cannot_scale_is_one_line(tmp_path, slots, name, builder, scaler, problem):
    with pytest.raises(InputError) as caught:
        tried(tmp_path, slots, builder, f"{name}:{scaler}")
    expected = f"train.scaler: {problem.replace('own_{n}', name)}"
    assert re.sub(rf" in {name}\.py, line \d+$", "", str(caught.value)) == expected
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("scaler", ["Knows", "Listed"])
def test_a_scaler_that_scales_passes(tmp_path, slots, name, builder, scaler):
    tried(tmp_path, slots, builder, f"{name}:{scaler}")


SCRIPT = """
import sys
from foldproof.flows.cv import cross_validate

result = cross_validate(
    data="iris", split={"n_splits": 2}, model="sklearn.linear_model:LogisticRegression",
    train={"scaler": "loud:Scaler"}, out="out",
)
print(result.n_failed, sorted({"keras", "tensorflow", "loud"} & set(sys.modules)))
"""
LOUD = """
import keras
print("loaded")

class Scaler:
    def fit(self, X): return self
    def transform(self, X): return X
"""


def test_a_scaler_that_imports_keras_stays_out_of_the_flows_process(here, prefect_api):
    (here / "loud.py").write_text(LOUD)
    (here / "script.py").write_text(SCRIPT)
    ended = subprocess.run(
        [sys.executable, "script.py"],
        cwd=here,
        env=os.environ | {"PREFECT_API_URL": prefect_api},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "0 []"
    assert "loaded" not in ended.stdout


def test_with_all_folds_stored_no_worker_looks_at_the_scaler(tmp_path, name):
    from foldproof.tasks.run.fold_retries import train_without_prefect

    rows = np.random.default_rng(0).normal(size=(20, 2))
    data = DataSpec.from_arrays(rows, np.arange(20) % 2)
    model = {"builder": "sklearn.linear_model:LogisticRegression"}
    given = {"data": data, "split": {"n_splits": 2}, "model": model, "out": str(tmp_path / "out")}
    given |= {"train": {"scaler": f"{name}:Knows"}, "compute": {"workers": 1}}
    with launched(Run(parse_study(given), Display("quiet"))) as run:
        run.check()
        assert [train_without_prefect(run, job).error for job in run.jobs] == [None, None]
    with launched(Run(parse_study(given), Display("quiet"))) as run:
        run.check()
        assert run._slots is None
    assert name not in sys.modules
