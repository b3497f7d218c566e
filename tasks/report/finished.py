"""Read a finished run from its report: files, tables, and the settings to repeat it.

Anybody may have written the report, so nothing in it is taken for granted: not that its files
are files, that they are of a usable size, nor that they hold what a report's do.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.data.sources.choose import find_source
from foldproof.tasks.data.target_facts import TargetFacts
from foldproof.tasks.evaluation.columns import elements
from foldproof.tasks.evaluation.measure import compute_metrics, is_computable
from foldproof.tasks.evaluation.predictions import Predictions, predict_labels
from foldproof.tasks.evaluation.schemas import target_shape, targets_in
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.report.folder import CERTIFICATE_COLUMNS, EXECUTION, MANIFEST
from foldproof.tasks.report.parquet_tables import by_fold, fold_of, read_table
from foldproof.tasks.report.settings_file import settings_of

RESULTS = "foldproof"  # what keys call the version of results
PARTS = {"key": dict, "files": dict, "run_id": str}  # of every manifest
MAX_MANIFEST_BYTES = 1 << 28  # of a manifest: that of a million folds
METRIC_TOLERANCE = 1e-9  # between metrics computed by different versions of the same code


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, read from its report folder.

    Attributes:
        path: the folder.
        manifest: what the run follows from, and the digest of each file.
    """

    path: Path
    manifest: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "FinishedRun":
        """Read a report's manifest.

        Raises:
            InputError: the folder is none of a report.
        """
        try:
            file = path / MANIFEST
            if not file.is_file() or file.stat().st_size > MAX_MANIFEST_BYTES:
                raise ValueError
            manifest = json.loads(file.read_text(encoding="utf-8"))
            known = all(isinstance(manifest[name], kind) for name, kind in PARTS.items())
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            known = False
        if not known:
            problem = (
                f"{str(path)!r} holds no {MANIFEST} of a report; give a folder OUT/runs/RUN_ID"
            )
            raise InputError("RUN_DIR", problem)
        return cls(path, manifest)

    @property
    def key(self) -> Mapping[str, Any]:
        """The key of the run: everything that its report depends on."""
        key: Mapping[str, Any] = self.manifest["key"]
        return key

    @property
    def sources(self) -> dict[str, Any]:
        """SHA-256 of the source of each module that the run had from its user."""
        named = [self.key["model"], self.key["split"], self.key.get("own_metrics", {})]
        parts = (part.get("sources", {}) for part in named)
        return {name: digest for part in parts for name, digest in part.items()}

    @cached_property
    def facts(self) -> TargetFacts | None:
        """The labels with their counts, or a regression's range; None in a report of 0.1.0."""
        return TargetFacts.of_key(self.key)

    @cached_property
    def folds(self) -> list[dict[str, Any]]:
        """The rows of folds.parquet."""
        rows: list[dict[str, Any]] = self.table("folds.parquet").to_pylist()
        return rows

    @cached_property
    def execution(self) -> pa.Table:
        """The table of execution.parquet."""
        return self.table(EXECUTION)

    @cached_property
    def devices(self) -> dict[str, str]:
        """The slot that trained each fold, by its key."""
        keys, devices = (self.execution[name].to_pylist() for name in ("fold_key", "device"))
        return dict(zip(keys, devices, strict=True))

    @cached_property
    def predictions(self) -> dict[tuple[int, int], pa.Table]:
        """The rows of predictions.parquet, by repeat and fold."""
        return by_fold(self.table("predictions.parquet"))

    @cached_property
    def history(self) -> dict[tuple[int, int], pa.Table]:
        """The rows of history.parquet, by repeat and fold."""
        return by_fold(self.table("history.parquet"))

    @cached_property
    def summary(self) -> list[dict[str, Any]]:
        """The rows of summary.parquet."""
        rows: list[dict[str, Any]] = self.table("summary.parquet").to_pylist()
        return rows

    def table(self, name: str) -> pa.Table:
        """Read a table of the report.

        Raises:
            InputError: it cannot be read, or not into this machine's memory.
        """
        return read_table(self.path / name)

    def study(self, source: str | None, workers: int) -> Study:
        """Return the run's settings, for a folder of folds that is to be chosen.

        Args:
            source: where the data is now; None where it was.
            workers: as many at a time. They train as plain Keras, so that what another engine
                gave is checked, too.
        """
        settings = settings_of(self.key)
        return parse_study(
            settings
            | {
                "data": settings["data"] | self._reading(source),
                "train": settings["train"] | {"engine": "plain"},
                "compute": settings["compute"] | {"workers": workers},
            }
        )

    def _reading(self, source: str | None) -> dict[str, Any]:
        """Return where the data is and how it is to be read, which no key holds."""
        metadata = self.execution.schema.metadata or {}
        place = source or metadata.get(b"foldproof.source", b"").decode(errors="replace")
        kind = find_source(place)
        names = () if kind is None else kind.settings
        said = {name: metadata.get(f"foldproof.{name}".encode(), b"") for name in names}
        try:
            return {"source": place} | {
                name: json.loads(said[name]) for name in names if said[name]
            }
        except ValueError:
            problem = f"{EXECUTION} holds no settings of {' and '.join(names)}"
            raise InputError("RUN_DIR", problem) from None

    def damaged_files(self) -> Iterator[str]:
        """Yield a line for each file, or key, that does not match the manifest."""
        named, follows = self.manifest["run_id"], run_id(dict(self.key))
        if named != follows:
            yield f"{MANIFEST} has the RUN_ID {named}, and a key whose RUN_ID is {follows}"
        for name, digest in sorted(self.manifest["files"].items()):
            path = self.path / name
            if Path(name).name != name:
                yield f"{name} is not in the report's folder"
            elif not path.is_file():
                yield f"{name} is missing"
            elif digest_file(path) != digest:
                yield f"{name} is not what the manifest says"

    def wrong_certificates(self) -> Iterator[str]:
        """Yield a line for each fold whose certificate does not match the manifest."""
        said = {(c["repeat"], c["fold"]): c for c in self.manifest.get("certificates", [])}
        for row in self.folds:
            place = fold_of(row)
            if said.get(place) != {name: row[name] for name in CERTIFICATE_COLUMNS}:
                yield f"fold {place[0]}/{place[1]} is not certified in the manifest as in its row"

    def computable_metrics(self) -> list[str]:
        """Return the metrics without those of the user's that were not imported here."""
        return [name for name in self.key["metrics"] if is_computable(name)]

    def wrong_metrics(self) -> Iterator[str]:
        """Yield a line for each metric that does not follow from the stored predictions."""
        for row in self.folds:
            if row["status"] != "ok":
                continue
            of_fold = self.predictions.get(fold_of(row))
            if of_fold is None:
                yield f"fold {row['repeat']}/{row['fold']} has no predictions"
                continue
            measured = compute_metrics(self.computable_metrics(), predictions_of(of_fold))
            for name, metric in measured.items():
                found, said = metric.value, row[name]
                if (found is None) != (said is None) or (
                    found is not None and said is not None and abs(found - said) > METRIC_TOLERANCE
                ):
                    place = f"fold {row['repeat']}/{row['fold']}"
                    yield f"{name} of {place} is {found} by its predictions, {said} in the report"


def predictions_of(of_fold: pa.Table) -> Predictions:
    """Return rows of predictions.parquet as the metrics take them."""
    if shape := target_shape(of_fold.schema):
        given = (elements(of_fold[name], len(of_fold)) for name in ("y_true", "y_pred"))
        truth, predicted = (each.astype(np.float64).reshape(-1, *shape) for each in given)
        return Predictions(truth, predicted, predicted.reshape(len(predicted), -1), 0)
    if targets := targets_in(of_fold.schema):
        return _of_several(of_fold, targets)
    columns = [name for name in of_fold.column_names if name.startswith("score_")]
    if not columns:
        truth, predicted = (of_fold[name].to_numpy() for name in ("y_true", "y_pred"))
        return Predictions(truth, predicted, predicted.reshape(-1, 1), 0)
    classes = [name.removeprefix("score_") for name in columns]
    truth = np.array([classes.index(str(label)) for label in of_fold["y_true"].to_pylist()])
    scores = np.column_stack([of_fold[name].to_numpy() for name in columns])
    if len(classes) == 2:
        return Predictions(truth, predict_labels(scores[:, 1:], "binary"), scores[:, 1:], 2)
    return Predictions(truth, predict_labels(scores, "multiclass"), scores, len(classes))


def _of_several(of_fold: pa.Table, targets: list[str]) -> Predictions:
    """Return a fold's predictions of several targets."""
    is_labels = f"score_{targets[0]}" in of_fold.column_names
    kind = "score" if is_labels else "y_pred"
    truth, scores = (
        np.column_stack([of_fold[f"{name}_{target}"].to_numpy() for target in targets])
        for name in ("y_true", kind)
    )
    predicted = predict_labels(scores, "multilabel" if is_labels else "regression")
    return Predictions(truth, predicted, scores, 2 * is_labels, tuple(targets))
