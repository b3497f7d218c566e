"""Name a flow run after its model and data, unless the user named it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect.context import FlowRunContext

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.data.sources.choose import shown
from foldproof.tasks.folds.split.splitters import is_user_splitter
from foldproof.tasks.prefect_flow.default_names import is_generated_name
from foldproof.tasks.prefect_ui.form import from_form
from foldproof.tasks.run.current_run import current_run
from foldproof.tasks.user_code.objects.functions import is_function_object


def flow_run_name() -> str:
    """Return the name of the current flow run: the user's, or model and data."""
    return named(_cross_validation)


def named(readable: Callable[[dict[str, Any]], str]) -> str:
    """Return a flow run's name: the user's, or a readable one instead of a generated one.

    Args:
        readable: makes one of the flow's parameters.
    """
    context = FlowRunContext.get()
    assert context is not None  # Prefect asks within a run
    assert context.flow_run is not None
    given = context.flow_run.name
    if not is_generated_name(context.flow_run):
        return given
    try:
        return readable(context.parameters or {})
    except (InputError, ValueError, TypeError):  # the run is about to say so
        return given


def _cross_validation(parameters: dict[str, Any]) -> str:
    run = current_run()
    if run is not None:
        return readable_name(run.study, run.n_folds)
    return readable_name(parse_study(from_form(parameters)), None)


def readable_name(study: Study, folds: int | None) -> str:
    """Return a name like `mlp on breast_cancer, 10 folds`, unless the user gave one.

    Args:
        study: the settings.
        folds: how many there are, if that is known.
    """
    if study.name:
        return study.name
    source, split = shown(study.data.source), study.split
    data = Path(source).stem or source or "arrays"
    count = folds or split.n_splits * split.n_repeats
    by_rows = (
        is_user_splitter(split.method)
        or is_function_object(split.method)
        or split.method in ("leave_one_out", "predefined")
    )
    end = split.method if by_rows and not folds else f"{count} folds"
    return f"{study.model.builder.rpartition(':')[2]} on {data}, {end}"
