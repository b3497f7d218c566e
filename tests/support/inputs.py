"""Small inputs, and every step that a run takes with them before it trains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.class_weights import check_class_weight
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.sources.read import check_source
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.training.preprocessing.scaler import check_scaler

Prepare = Callable[..., Dataset]

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2


def ask(settings: dict[str, Any]) -> None:
    """Take every step that a run takes before it needs a worker process."""
    study = parse_study(settings)
    with launched(Run(study, Display("quiet"))) as run:
        check_source(study.data)
        check_scaler(study.train.scaler)
        assert run.identity
        check_class_weight(study.train, run.dataset.labels)
        assert run.plan
        assert run.metrics


def data(source: str, **settings: Any) -> dict[str, Any]:
    if not source.endswith(".npz"):
        settings = {"target": "y", **settings}
    return {"data": {"source": source, **settings}}


def split(source: str, **settings: Any) -> dict[str, Any]:
    return {**data(source), "split": settings}


def own_module(test: str, source: str) -> str:
    """Write a module into the working directory, and return its name, which is new in each test."""
    name = f"own_{abs(hash(test))}"
    Path(f"{name}.py").write_text(source)
    return name
