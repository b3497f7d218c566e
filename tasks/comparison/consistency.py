"""Check that the models of a comparison share data, folds and metrics, and that none is twice."""

import json
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.run.session import Run

Difference = tuple[str, Any, Any]  # the field, and its two values


def refuse_different_settings(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Refuse differing settings that must be shared, without a look at the data.

    Raises:
        InputError: naming the field and the two files.
    """
    _refuse_any(runs, names, _other_settings)


def refuse_other_data(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Refuse other samples or labels, once the data is read.

    Raises:
        InputError: naming the field and the two files.
    """
    _refuse_any(runs, names, _other_data)


def refuse_different_folds(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Refuse other folds or metrics, once the rows are divided.

    Raises:
        InputError: naming the field and the two files.
    """
    _refuse_any(runs, names, _other_folds)


def refuse_duplicate_models(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Refuse a model that is in the comparison twice.

    Raises:
        InputError: naming both files.
    """
    keys = [[job.key for job in run.jobs] for run in runs]
    for one, other in combinations(range(len(runs)), 2):
        if keys[one] == keys[other]:
            problem = f"comes to the same run as {names[one]} ({run_id(runs[one].key)})"
            remedy = "change its model or train section, or leave it out"
            raise InputError(names[other], f"{problem}; {remedy}")


def _refuse_any(runs: Sequence[Run], names: Sequence[str], differences: Any) -> None:
    for run, name in zip(runs[1:], names[1:], strict=True):
        for field, before, now in differences(runs[0], run):
            told = f"{_shown(before)} in {names[0]}, {_shown(now)} in {name}"
            raise InputError(field, f"{told}; compared models need the same")


def _other_settings(first: Run, run: Run) -> Iterator[Difference]:
    if first.out != run.out:
        yield "out", first.study.out, run.study.out
    if first.study.seed != run.study.seed:
        yield "seed", first.study.seed, run.study.seed
    one, other = first.study.split, run.study.split
    if not {one.method, other.method} & {"leave_one_out", "predefined"}:  # which count by the data
        for name in ("n_splits", "n_repeats"):
            if getattr(one, name) != getattr(other, name):
                yield f"split.{name}", getattr(one, name), getattr(other, name)


def _other_data(first: Run, run: Run) -> Iterator[Difference]:
    one, other = first.dataset, run.dataset
    if one.task != other.task:
        yield "data.task", one.task, other.task
    if one.positive != other.positive:
        yield "data.positive", one.positive, other.positive
    if one.digest != other.digest:
        yield _cause(first, run, "data", ("source",))


def _other_folds(first: Run, run: Run) -> Iterator[Difference]:
    if first.plan.digest != run.plan.digest:
        yield _cause(first, run, "split", ("method",))
    if first.metrics != run.metrics:
        yield "metrics", list(first.metrics), list(run.metrics)


def _cause(first: Run, run: Run, section: str, likely: tuple[str, ...]) -> Difference:
    """Return the setting of a section that differs, the likely one where no other does."""
    one, other = getattr(first.study, section), getattr(run.study, section)
    for name in (*(n for n in type(one).model_fields if n not in likely), *likely):
        before, now = getattr(one, name), getattr(other, name)
        if before != now or name in likely:
            return f"{section}.{name}", before, now
    raise AssertionError("unreachable: a likely name ends the loop")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
