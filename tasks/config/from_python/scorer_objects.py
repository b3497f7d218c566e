"""Scorers and metric functions given as `scoring`: kept under a name, beside names of metrics."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.objects.kept_objects import describe_by_parts, keep
from foldproof.tasks.user_code.sklearn_internals import scored_function

OF_METRIC, OF_SCORER = 2, 3  # arguments that must be given
SCORES = ("y_score", "y_scores", "y_proba", "y_prob")  # what a function calls probabilities
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def metrics_of(scoring: Any) -> str | list[str]:
    """Return the metrics setting that scikit-learn's argument `scoring` stands for.

    Args:
        scoring: a name; a scorer, or a function `(estimator, X, y)` or `(y_true, y_pred)`; a
            list of these; or a mapping of names to them. A function may be one of `y_score`.

    Raises:
        InputError: it is none of that.
    """
    if isinstance(scoring, str):
        return scoring if scoring == "auto" else [scoring]
    if callable(scoring):
        return [_name(scoring)]
    if isinstance(scoring, Mapping):
        return [_named(str(label), one) for label, one in scoring.items()]
    if isinstance(scoring, Iterable):
        return [one if isinstance(one, str) else _name(one) for one in scoring]
    raise InputError("scoring", f"{scoring!r} is no metric; give names, scorers or functions")


def _named(label: str, one: Any) -> str:
    return one if isinstance(one, str) else _name(one, label)


def _name(one: Any, label: str = "") -> str:
    if not callable(one):
        raise InputError("scoring", f"{one!r} is no metric; give a name, a scorer or a function")
    try:
        return keep(label or label_of(one), as_scorer(one), describe_by_parts(one))
    except InputError as error:
        raise InputError("scoring", error.problem) from None


def label_of(one: Any) -> str:
    """Return what people call a scorer or a function."""
    inner = scored_function(one) or one
    return str(getattr(inner, "__name__", type(inner).__name__))


def as_scorer(one: Callable[..., Any]) -> Callable[..., Any]:
    """Return what takes an estimator, X and y; a function of true and predicted values is wrapped.

    A function whose second argument is called `y_score` is given probabilities: of the positive
    class, or one column for each of several classes. What it states as `greater_is_better` is kept.

    Raises:
        InputError: it takes something else.
    """
    needed = [
        parameter
        for parameter in inspect.signature(one).parameters.values()
        if parameter.kind in POSITIONAL and parameter.default is parameter.empty
    ]
    if len(needed) == OF_METRIC:
        from sklearn.metrics import make_scorer

        answer = "predict_proba" if needed[1].name in SCORES else "predict"
        made: Any = make_scorer(one, response_method=answer)
        made.greater_is_better = getattr(one, "greater_is_better", True)
        return cast(Callable[..., Any], made)
    if len(needed) == OF_SCORER or scored_function(one) is not None:
        return one
    takes = "(y_true, y_pred), (y_true, y_score) or (estimator, X, y)"
    raise InputError(
        "scoring", f"{label_of(one)} takes {len(needed)} arguments; let it take {takes}"
    )
