"""Build and try the user's model once in a worker, before any fold starts."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import sample_shapes
from foldproof.tasks.common.places import is_own_code
from foldproof.tasks.config.named.inputs import setting_of
from foldproof.tasks.data.npy import map_array
from foldproof.tasks.folds.job import FoldJob, ModelFacts
from foldproof.tasks.training.dtype_policy import load_with_policy
from foldproof.tasks.training.engines.adaptation import adapt_layers
from foldproof.tasks.training.error_text import is_exhausted
from foldproof.tasks.training.estimator import check_estimator, fit_estimator
from foldproof.tasks.training.fold_data import FoldData, training_data
from foldproof.tasks.training.freshness import refuse_used_estimator
from foldproof.tasks.training.keras_model import complete, is_keras
from foldproof.tasks.training.preprocessing.features import as_float32
from foldproof.tasks.training.preprocessing.scaler import check_scaler
from foldproof.tasks.training.seeding import seed_everything
from foldproof.tasks.training.streaming.need import refuse_too_large
from foldproof.tasks.training.streaming.row_file import RowFile
from foldproof.tasks.training.trial.first_batch import try_batch
from foldproof.tasks.user_code.builder import call_builder, short_error
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.installed import is_installed_file


def preprocess_first(job: FoldJob) -> tuple[FoldJob, FoldData | None]:
    """Preprocess a fold's training rows, where that decides the shape that the builder is told.

    Returns:
        The job with that shape, and the rows; None where the data's own shape is known.

    Raises:
        InputError: the preprocessing cannot be fitted to its training rows.
    """
    if job.keeps_shape:
        return job, None
    fold_data = _training_data(job)
    return job.with_input(sample_shapes(fold_data.train.features)), fold_data


def build_model(job: FoldJob, weighted: bool) -> tuple[Any, ModelFacts]:
    """Build the model twice, as folds will, and return the second one with its facts.

    Args:
        job: a fold of the run, as from `preprocess_first`.
        weighted: there are weights of classes or samples.

    Raises:
        InputError: with what is wrong about the builder or what it returns.
    """
    call = job.builder
    builder = load_with_policy(call)
    seed_everything(0, keras_loaded="keras" in sys.modules)
    model = _call(builder, call)
    if not is_keras(model):
        _inspect_estimator(model, builder, job, weighted)
        return model, ModelFacts("estimator", compiled=False)
    compiled = bool(model.compiled)
    complete(model, call, job.train)
    seed_everything(0, keras_loaded=True)
    again = complete(_call(builder, call), call, job.train)  # refuses what is not new
    return again, ModelFacts("keras", compiled)


def needs_rows(facts: ModelFacts, job: FoldJob) -> bool:
    """Return whether the trial must read rows; scikit-learn's own models need none."""
    has_more = not job.keeps_shape or job.train.sampler is not None
    return facts.kind == "keras" or ":" in job.train.scaler or has_more


def try_model(
    model: Any, facts: ModelFacts, job: FoldJob, fold_data: FoldData | None
) -> tuple[str, ...] | None:
    """Try a Keras model on a batch of a fold's training rows, or an estimator on all of a table's.

    Where memory does not suffice nothing is refused: folds are tried again and say so.

    Args:
        model: as from `build_model`, with its facts.
        facts: the same.
        job: the fold.
        fold_data: its training rows, if they are preprocessed already.

    Returns:
        What the user should be told; None where memory did not suffice.

    Raises:
        InputError: with what cannot train.
    """
    check_scaler(job.train.scaler)
    try:
        if facts.kind == "keras":
            fold_data = fold_data or _training_data(job)
            _refuse_missing(job, fold_data)
            ready = fold_data.for_keras()
            adapt_layers(model, ready.train.features, job.train)
            return try_batch(model, job, ready, facts.compiled)
        _refuse_streamed(model, job)
        if fold_data is not None:
            _try_estimator(model, job, fold_data)
        elif facts.saw_rows:
            fold_data = _training_data(job)
            if not _accepts_missing(model):
                _refuse_missing(job, fold_data)
    except InputError:
        raise
    except Exception as error:
        if not is_exhausted(error):
            raise
        return None
    return ()


def _inspect_estimator(
    model: Any, builder: Callable[..., Any], job: FoldJob, weighted: bool
) -> None:
    call = job.builder
    if not (hasattr(model, "fit") and hasattr(model, "get_params")) or isinstance(model, type):
        kind = "nothing" if model is None else f"a {type(model).__name__}"
        problem = f"{call.reference} returned {kind}; return a keras.Model or an estimator"
        raise InputError("model.builder", problem)
    check_estimator(model, call.task, weighted, call.n_outputs, several_inputs=bool(job.inputs))
    others = [_call(builder, call) for _ in range(2)]  # so that two in turn are found, too
    for estimator in (model, *others):
        refuse_used_estimator(estimator, call.reference)
    for setting in ("early_stopping", "callbacks"):
        if getattr(job.train, setting):
            problem = "has no effect on an estimator; leave it out"
            raise InputError(f"train.{setting}", problem)


def _refuse_streamed(model: Any, job: FoldJob) -> None:
    """Refuse an estimator whose rows are to stay on disk, or would not fit in memory."""
    if job.train.stream == "always":
        raise InputError("train.stream", "always, but an estimator takes all rows; set it to auto")
    if job.train.stream == "auto":
        rows = len(map_array(job.train_path))
        refuse_too_large(job, rows, "model.builder", f"the estimator {type(model).__name__}")


def _training_data(job: FoldJob) -> FoldData:
    """Prepare a fold's training rows, as each fold will.

    Raises:
        InputError: the scaler cannot do that.
    """
    setting, name = _named(job)
    try:
        return training_data(job)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own class: anything can come out
        if is_exhausted(error):
            raise
        problem = f"{name} fails on the training rows ({short_error(error)}){user_line(error)}"
        raise InputError(setting, problem) from error


def _refuse_missing(job: FoldJob, fold_data: FoldData) -> None:
    """Refuse NaN and infinite values that a model would train on.

    Raises:
        InputError: there are some.
    """
    for name, part in job.parts.items():
        features = fold_data.train.features
        _refuse_missing_in(part, name, features[name] if job.inputs else features)


def _refuse_missing_in(job: FoldJob, of: str, features: Any) -> None:
    setting, name = _named(job, of)
    bad = _not_finite(features)
    if bad and job.preprocess.way == "none":
        problem = f"none leaves {bad} gaps in the training rows"
        raise InputError(setting, f"{problem}; fill them in by a list of steps, or set it to auto")
    if bad:
        problem = f"{name} makes {bad} values of the training rows NaN or infinite"
        raise InputError(setting, f"{problem}; let it return finite numbers")


def _not_finite(features: Any) -> int:
    """Count the values that are NaN or infinite."""
    blocks = features.blocks() if isinstance(features, RowFile) else [as_float32(features)]
    return sum(int(np.sum(~np.isfinite(block))) for block in blocks)


def _named(job: FoldJob, of: str = "") -> tuple[str, str]:
    """Return the setting of what is fitted to features, and what it is called.

    Args:
        job: the fold's, or of it the part of an input.
        of: the input's name.
    """
    if job.keeps_shape:
        return "train.scaler", job.train.scaler
    if job.inputs:
        called = [f"{name}: {part.preprocess.name}" for name, part in job.parts.items()]
        return setting_of(of), f"what is set ({', '.join(called)})"
    return setting_of(of), job.preprocess.name


def _try_estimator(model: Any, job: FoldJob, fold_data: FoldData) -> None:
    """Fit an estimator to a fold's training rows: what it takes, only it can tell.

    Raises:
        InputError: it cannot be fitted to what preprocessing leaves.
    """
    try:
        fit_estimator(model, fold_data)
    except (Exception, SystemExit) as error:  # anybody's code: anything can come out
        if is_exhausted(error):
            raise
        name = type(model).__name__
        problem = f"{name} fails on what {job.preprocess.name} leaves ({short_error(error)})"
        remedy = "if it takes the table itself, set data.preprocess: none"
        if job.preprocess.way != "auto":
            remedy = "let preprocessing encode and fill in what it does not take"
        raise InputError("data.preprocess", f"{problem}; {remedy}") from error


def _accepts_missing(model: Any) -> bool:
    from sklearn.utils import get_tags

    return bool(get_tags(model).input_tags.allow_nan)


def _call(builder: Callable[..., Any], call: BuilderCall) -> Any:
    try:
        return call_builder(builder, call)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code: anything can come out
        problem = f"{call.reference} failed ({short_error(error)}){user_line(error)}"
        raise InputError("model.builder", f"{problem}; --verbose shows the traceback") from error


def user_line(error: BaseException) -> str:
    """Return the last line of the user's code in an error's traceback, if there is one."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    for name, line in reversed(places):
        path = Path(name)
        if path.is_file() and not is_own_code(name) and not is_installed_file(name):
            return f" in {path.name}, line {line}"
    return ""
