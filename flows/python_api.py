"""`foldproof.cross_validate`: the flow as a plain function, with scikit-learn's arguments."""

from typing import Any

from foldproof.tasks.config.from_python.call import arranged, settings_of_call
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.prefect_server.api import Api
from foldproof.tasks.prefect_server.server import api_is_configured
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display


def cross_validate(
    model: Any = None,
    X: Any = None,
    y: Any = None,
    *,
    groups: Any = None,
    weights: Any = None,
    time: Any = None,
    id: Any = None,
    target: str | None = None,
    cv: Any = 10,
    scoring: Any = None,
    preprocess: Any = None,
    epochs: int = 50,
    seed: int = 1337,
    data: Any = None,
    split: Any = None,
    train: Any = None,
    metrics: Any = None,
    compute: Any = None,
    report: Any = None,
    out: Any = None,
    name: str | None = None,
    **unknown: Any,
) -> Result:
    """Cross-validate a model so that the result comes back bit for bit.

    Args:
        model: a function that returns a fresh Keras model or estimator, "module:function", or
            an unfitted estimator, which is cloned; default: the built-in "tasks.models:mlp".
        X: features: an array (n, ...), or a pandas, polars or other data frame; for a model with
            several inputs a dict of these by their names.
        y: one value a row, or several, (n, k); or the name of a column of X.
        groups: one value a row, or a column's name; no group is on both sides of a fold.
        weights: one number a row, or a column's name; used in training only.
        time: one time a row, or a column's name; no fold trains on what comes later.
        id: one name a row, or a column's name; stands in the predictions.
        target: the column to predict, or several, where `data` is a frame or a file.
        cv: a number of folds, a splitter, or pairs of arrays of row numbers.
        scoring: a metric's name, a scorer, a function (y_true, y_pred), or several of these.
        preprocess: an unfitted transformer, fitted anew in each fold; "none", or a list of steps;
            default: gaps, categories, texts and dates are encoded, and numbers scaled.
        epochs: passes over the training rows; estimators ignore it.
        seed: the number that all randomness is from.
        data: a frame, a path, (X, y), the name of a bundled set, or, like the next five, the
            section of that name in a YAML file.
        split: how the rows are divided.
        train: how each fold trains.
        metrics: what is measured.
        compute: where the folds train.
        report: which intervals, at what level.
        out: the folder of finished folds and reports; default "reports".
        name: what people call the run; it changes no result.
        **unknown: refused, with what was meant.

    Returns:
        `.summary`, `.folds`, `.predictions`, `.history` as data frames, `.scores` as arrays,
        and the report's `.path`; `.open()` shows it, `.verify()` proves it.

    Raises:
        InputError: something about the input is wrong, in one line; nothing was trained.
    """
    given = {
        **{"groups": groups, "weights": weights, "time": time, "id": id, "target": target},
        **{"cv": cv, "scoring": scoring, "preprocess": preprocess},
        **{"epochs": epochs, "seed": seed, "data": data, "split": split, "train": train},
        **{"metrics": metrics, "compute": compute, "report": report},
        **{"out": out, "name": name},
    }
    arguments, settings = arranged((model, X, y), given | unknown)
    study = parse_study(settings_of_call(*arguments, **settings))
    run = Run(study, Display(), keep=True)
    run.service = Api(keep=True)
    try:
        stored = None if api_is_configured() else run.stored_result()
        if stored is not None:
            return stored
        run.begin()
        # Here, as it takes seconds, in which server and workers start.
        from foldproof.flows.cv import cross_validate as flow

        result: Result = flow.launch(run)
    finally:
        run.close()
    return result
