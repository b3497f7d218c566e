"""The result of a cross-validation: data frames, and the table for a terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import PACKAGE
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.target import Label
from foldproof.tasks.data.target_facts import TargetFacts, named_positive, positive_line
from foldproof.tasks.evaluation.findings.collect import FINDINGS, findings_schema
from foldproof.tasks.evaluation.preprocessing import PREPROCESSING, preprocessing_schema
from foldproof.tasks.evaluation.worst_case import class_count, worst_case_mean
from foldproof.tasks.report.estimates import estimate_of, interval_head
from foldproof.tasks.report.result_html import result_html
from foldproof.tasks.report.result_plots import ResultPlots

if TYPE_CHECKING:
    import pandas as pd

PAGE = "report.html"


@dataclass(frozen=True)
class Result(ResultPlots):
    """A finished cross-validation.

    Attributes:
        path: the report's folder; of a report in object storage, a copy that ends with the run.
        address: where the report is in object storage; else empty.
        run_id: its name.
        n_folds: folds that were planned.
        n_failed: folds that failed.
        notices: what the user should be told.
        tracebacks: of the user's own code, by (repeat, fold).
        chosen: the positive label was set, not taken as the larger one.
        has_earlier: folds failed, and the report is the complete one of an earlier run.
        study: the settings, which keep arrays in memory for as long as the result lives.
    """

    path: Path
    run_id: str
    n_folds: int
    n_failed: int
    notices: tuple[str, ...] = ()
    tracebacks: tuple[tuple[int, int, str, str], ...] = ()
    address: str = ""
    chosen: bool = False
    has_earlier: bool = False
    study: "Study | None" = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read everything while a copy of a report in object storage is there."""
        if self.address:
            _ = self.folds, self.summary, self.predictions, self.history, self._execution
            _ = self.curves
            _ = self._text, self._facts, self.headline, self._rows
            _ = self._all_curves, self._scored

    @property
    def where(self) -> str:
        """The location of the report: a path, or an address in object storage."""
        return self.address or str(self.path)

    @property
    def positive(self) -> Label | None:
        """The positive label of a binary task, else None."""
        return self._facts.positive if self._facts else None

    @property
    def positive_line(self) -> str:
        """Which label counts as positive, in a line; empty unless the task is binary."""
        return positive_line(self._facts, self.chosen) if self._facts else ""

    @property
    def classes(self) -> dict[Label, int]:
        """The number of samples per label; empty for a regression."""
        facts = self._facts
        return dict(zip(facts.labels, facts.counts, strict=True)) if facts else {}

    @property
    def coverage(self) -> str:
        """A line on failed folds; empty if there are none."""
        return coverage(self.n_failed, self.n_folds, self.has_earlier)

    @cached_property
    def folds(self) -> "pd.DataFrame":
        """One row a fold, with its metrics."""
        return self._table("folds")

    @cached_property
    def summary(self) -> "pd.DataFrame":
        """One row a metric."""
        return self._table("summary")

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """One row a test sample of a fold."""
        return self._table("predictions")

    @cached_property
    def history(self) -> "pd.DataFrame":
        """One row a value of an epoch."""
        return self._table("history")

    @cached_property
    def curves(self) -> "pd.DataFrame":
        """One row a point of a curve."""
        return self._table("curves")

    @cached_property
    def preprocessing(self) -> "pd.DataFrame":
        """What each fold's preprocessing did to each column; empty for plain numbers."""
        if not (self.path / PREPROCESSING).exists():
            return preprocessing_schema().empty_table().to_pandas()
        return self._table(PREPROCESSING.removesuffix(".parquet"))

    @cached_property
    def findings(self) -> "pd.DataFrame":
        """What a reader must know: a row a finding, with its code, message and remedy."""
        if not (self.path / FINDINGS).exists():
            return findings_schema().empty_table().to_pandas()
        return self._table(FINDINGS.removesuffix(".parquet"))

    @cached_property
    def scores(self) -> "dict[str, NDArray[np.float64]]":
        """An array a metric: its value in each fold, NaN where there is none."""
        names = {name: label_of(name) for name in self.summary["metric"]}
        if len(set(names.values())) < len(names):
            names = {name: name for name in names}
        columns = {label: self.folds[name] for name, label in names.items()}
        return {label: column.to_numpy(dtype=float) for label, column in columns.items()}

    def to_sklearn(self) -> "dict[str, NDArray[np.float64]]":
        """Return what `sklearn.model_selection.cross_validate` does.

        That is `fit_time`, `score_time` and `test_` with each metric, one value a fold; a fold
        that was taken from the store has the times of its training.
        """
        times = self._execution.set_index("fold_key").reindex(self.folds["fold_key"])
        fit = times["seconds_build"] + times["seconds_fit"]
        return {
            "fit_time": fit.to_numpy(dtype=float),
            "score_time": times["seconds_predict"].to_numpy(dtype=float),
            **{f"test_{name}": values for name, values in self.scores.items()},
        }

    @property
    def page(self) -> str:
        """Where report.html is, for people and programs."""
        return f"{self.where}/{PAGE}"

    def open(self) -> bool:
        """Show report.html in a browser, and tell whether there is one.

        Raises:
            InputError: the report is in object storage.
        """
        import webbrowser

        if self.address:
            raise InputError("report", f"is in object storage; fetch {self.page}")
        return webbrowser.open((self.path / PAGE).as_uri())

    def verify(self, folds: int | None = 3, level: str = "bit") -> bool:
        """Check the report, refit folds in fresh processes, and print what is found.

        Functions, estimators and arrays of this process are known here, so that a model of a
        notebook can be proved.

        Args:
            folds: how many to refit; None for all.
            level: what must agree: bit, numeric or statistical, as `foldproof verify` has it.

        Returns:
            Whether all agrees.

        Raises:
            InputError: the run cannot be done again here.
        """
        prover = import_module(f"{PACKAGE}.tasks.verification.in_process")  # lies above
        return bool(prover.verify_result(self, folds, level))

    @cached_property
    def headline(self) -> str:
        """The first metric in a line, and the positive label if there is one."""
        summary = parquet.read_table(self.path / "summary.parquet")
        return headline_of(summary, named_positive(self._facts) if self._facts else "")

    def __str__(self) -> str:
        """Return what the command line prints: the positive label, and the table."""
        return self._text

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        coverage = [self.coverage] if self.coverage else []
        notices = [*coverage, *self.notices]
        return result_html(self._rows, notices, self.positive_line, self.page, self.run_id)

    def __repr__(self) -> str:
        """Return in a line what it is of, and where its report is."""
        named = named_positive(self._facts) if self._facts else ""
        positive = f", positive {named}" if named else ""
        done = f"{self.n_folds - self.n_failed} of {self.n_folds} folds"
        return f"<Result {self.run_id}: {done}{positive}; {self.where}>"

    @cached_property
    def _text(self) -> str:
        line = self.positive_line
        return "\n".join([*([line] if line else []), summary_text(self.path)])

    @cached_property
    def _rows(self) -> list[list[str]]:
        return summary_rows(self.path)

    @cached_property
    def _execution(self) -> "pd.DataFrame":
        return self._table("execution")

    @cached_property
    def _facts(self) -> TargetFacts | None:
        return facts_of(self.path)

    def _table(self, name: str) -> "pd.DataFrame":
        return parquet.read_table(self.path / f"{name}.parquet").to_pandas()


def facts_of(path: Path) -> TargetFacts | None:
    """Return what a report's folder holds of its target."""
    return TargetFacts.of_key(json.loads((path / "manifest.json").read_text("utf-8"))["key"])


def headline_of(summary: pa.Table, positive: str) -> str:
    """Return the first metric in a line, such as `r2 0.513 (0.401 to 0.625), 5 of 5 folds`.

    Args:
        summary: the table of that name.
        positive: the positive label with its count, or nothing.
    """
    return with_positive(metric_line(summary.slice(0, 1).to_pylist()[0]), positive)


def with_positive(line: str, positive: str) -> str:
    """Return a line of metrics with a binary task's positive label at its end."""
    return f"{line}; positive: {positive}" if positive else line


def coverage(failed: int, planned: int, has_earlier: bool = False) -> str:
    """Return a line on how many folds failed; empty if none did.

    Args:
        failed: folds that failed.
        planned: all folds.
        has_earlier: what is reported is complete all the same: it is an earlier run's.
    """
    if not failed:
        return ""
    if has_earlier:
        kept = "the complete report of an earlier run was kept"
        return f"{failed} of {planned} folds failed this time; {kept}"
    return f"INCOMPLETE: {failed} of {planned} folds failed"


def label_of(metric: str) -> str:
    """Return what people call a metric: a function's name is without its digest."""
    return metric.partition("@")[0]


def summary_text(path: Path) -> str:
    """Return a report's table for a terminal: mean, spread and interval of each metric.

    Where folds failed, the worst case stands beside the mean of the others.
    """
    return align_columns(summary_rows(path))


def summary_rows(path: Path) -> list[list[str]]:
    """Return the cells of that table, its head first."""
    folds = parquet.read_table(path / "folds.parquet")
    classes = class_count(parquet.read_schema(path / "predictions.parquet"))
    incomplete = "failed" in folds["status"].to_pylist()
    worst = ["worst case"] if incomplete else []
    rows = [["metric", "mean", *worst, "std", "min", "max", _interval_head(path), "folds"]]
    for row in parquet.read_table(path / "summary.parquet").to_pylist():
        values = [value for value in folds[row["metric"]].to_pylist() if value is not None]
        rows.append(
            [
                row["metric"],
                format_value(row["mean"]),
                *(format_value(worst_case_mean(folds, row["metric"], classes)) for _ in worst),
                format_value(row["std"]),
                *(format_value(end(values) if values else None) for end in (min, max)),
                format_interval(row),
                f"{row['n_folds']} of {row['n_planned']}",
            ]
        )
    return rows


def metric_line(row: Mapping[str, Any]) -> str:
    """Return a row of a summary in a line."""
    estimate, is_pooled = estimate_of(row)
    value = "no value" if estimate is None else f"{estimate:.3f}"
    low, high = row["ci_low"], row["ci_high"]
    interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    pooled = "pooled, " if is_pooled else ""
    folds = f"{row['n_folds']} of {row['n_planned']} folds"
    return f"{row['metric']} {value}{interval}, {pooled}{folds}"


def align_columns(rows: Sequence[Sequence[str]], left: bool = False) -> str:
    """Return rows as lines whose columns line up.

    Args:
        rows: the cells.
        left: all columns to the left; else the first one alone, and the others right.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_aligned(row, widths, left) for row in rows)


def _aligned(row: Sequence[str], widths: list[int], left: bool) -> str:
    pads = [c.ljust if left or i == 0 else c.rjust for i, c in enumerate(row)]
    cells = [pad(width) for pad, width in zip(pads, widths, strict=True)]
    return "  ".join(cells).rstrip() if left else "  ".join(cells)


def format_value(value: float | None) -> str:
    """Write a value for a terminal."""
    return "-" if value is None else f"{value:.4f}"


def format_interval(row: Mapping[str, Any]) -> str:
    """Write a row's interval for a terminal, with what it is around where that is not the mean."""
    low, high = row["ci_low"], row["ci_high"]
    if low is None or high is None:
        return "-"
    estimate, is_pooled = estimate_of(row)
    around = f" (pooled {format_value(estimate)})" if is_pooled else ""
    return f"{format_value(low)} to {format_value(high)}{around}"


def _interval_head(path: Path) -> str:
    key = json.loads((path / "manifest.json").read_text("utf-8"))["key"]
    return interval_head(key)
