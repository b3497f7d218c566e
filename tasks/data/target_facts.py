"""Facts about the target: its labels with counts, or its range, as numbers and as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from foldproof.tasks.common.task import Task
from foldproof.tasks.common.text import some_and_count
from foldproof.tasks.data.positive_class import is_positive_word, positive_flag
from foldproof.tasks.data.target import Label, Target

WARNING = "warning: "  # what the line on a label that may be the wrong one begins with
MAX_LISTED_CLASSES = 12  # named in one line of a terminal or a log


@dataclass(frozen=True)
class OneOfSeveral:
    """Facts about one of several targets: its range, and of a label how many rows have it."""

    name: str
    low: float
    high: float
    positives: int | None = None

    def __str__(self) -> str:
        """Return it in words."""
        if self.positives is not None:
            return f"{self.name!r} ({self.positives})"
        return f"{self.name!r} from {self.low:.6g} to {self.high:.6g}"


@dataclass(frozen=True)
class TargetFacts:
    """Facts about a target: its task, labels and counts, or range.

    Attributes:
        task: the kind of task.
        rows: how many samples there are.
        labels: the classes, sorted; empty for a regression.
        counts: how many samples have each label.
        positive: the positive label of a binary task, else None.
        low: the smallest value of a regression, else None.
        high: the largest one.
        several: the targets, where there are several.
        shape: of the target of one row, where it is an array.
    """

    task: Task
    rows: int
    labels: tuple[Label, ...] = ()
    counts: tuple[int, ...] = ()
    positive: Label | None = None
    low: float | None = None
    high: float | None = None
    several: tuple[OneOfSeveral, ...] = ()
    shape: tuple[int, ...] = ()

    @classmethod
    def of_key(cls, key: Mapping[str, Any]) -> "TargetFacts | None":
        """Return what a run's key holds of its target; that of 0.1.0 has nothing: None."""
        try:
            data = key["data"]
            task, positive = (data["settings"][name] for name in ("task", "positive"))
            labels, counts = tuple(data["labels"]), tuple(data["counts"])
            low, high = data["range"] or (None, None)
            several = tuple(OneOfSeveral(**told) for told in data.get("targets", ()))
            shape = tuple(data.get("target_shape", ()))
        except (KeyError, TypeError, ValueError):
            return None
        is_sound = len(labels) == len(counts) and (positive is None or positive in labels)
        given = (task, data["rows"], labels, counts, positive, low, high, several, shape)
        return cls(*given) if is_sound else None

    def for_key(self) -> dict[str, Any]:
        """Return the parts of a run's key that are about the target."""
        span = None if self.low is None else [self.low, self.high]
        told = {"labels": list(self.labels), "counts": list(self.counts), "range": span}
        if self.shape:
            told["target_shape"] = list(self.shape)
        return told | ({"targets": [vars(one) for one in self.several]} if self.several else {})

    def count_of(self, label: Label) -> int:
        """Return how many samples have a label."""
        return self.counts[self.labels.index(label)]

    @property
    def negative(self) -> Label | None:
        """The other label of a binary task, else None."""
        if self.positive is None:
            return None
        return next(label for label in self.labels if label != self.positive)


def target_facts(target: Target) -> TargetFacts:
    """Count the labels of a target, or find the range of its values."""
    rows = len(target.codes)
    if target.names:
        return TargetFacts(target.task, rows, several=tuple(_each(target)))
    if not target.labels:
        low, high = float(target.codes.min()), float(target.codes.max())
        return TargetFacts(target.task, rows, low=low, high=high, shape=target.codes.shape[1:])
    counts = np.bincount(target.codes, minlength=len(target.labels)).tolist()
    return TargetFacts(target.task, rows, target.labels, tuple(counts), target.positive)


def _each(target: Target) -> Iterator[OneOfSeveral]:
    for name, values in zip(target.names, target.codes.T, strict=True):
        span = float(values.min()), float(values.max())
        yield OneOfSeveral(name, *span, int(values.sum()) if target.task == "multilabel" else None)


def named_positive(facts: TargetFacts) -> str:
    """Return a binary task's positive label with its count; else nothing."""
    if facts.positive is None:
        return ""
    return f"{facts.positive!r} ({facts.count_of(facts.positive)} of {facts.rows})"


def positive_line(facts: TargetFacts, chosen: bool = False) -> str:
    """Say in a line which label of a binary task counts as positive; else nothing.

    It begins with `warning: ` where nobody chose the label, and it is not the one of the two
    that is a word for the positive class.

    Args:
        facts: of the target.
        chosen: the user set data.positive. A report cannot know: runs that differ only in
            this are the same run.
    """
    line = f"positive: {named_positive(facts)}" if facts.positive is not None else ""
    other = facts.negative
    if other is None or chosen or facts.positive != facts.labels[-1]:
        return line
    return f"{_warning(facts)}{line}, the larger label; for the other: {positive_flag(other)}"


def _warning(facts: TargetFacts) -> str:
    """Return what comes before the line on a label that nobody chose."""
    known = [label for label in facts.labels if is_positive_word(label)]
    if known == [facts.positive]:
        return ""
    if known == [facts.negative]:
        return f"{WARNING}{facts.negative!r} is a word for the positive class, yet "
    return WARNING


def classes_line(facts: TargetFacts, most: int | None = None) -> str:
    """Return a line with the labels and their counts, or numbers and their range.

    Args:
        facts: of the target.
        most: how many labels to name; default: all.
    """
    if facts.several:
        kind = "labels" if facts.task == "multilabel" else "targets"
        shown = [str(one) for one in facts.several]
        return f"{kind}: {some_and_count(shown, len(shown) if most is None else most)}"
    if not facts.labels:
        kind = "counts" if facts.task == "count" else "values"
        if facts.shape:
            kind = f"arrays of {' x '.join(map(str, facts.shape))}"
        return f"target: {facts.rows} {kind} from {facts.low:.6g} to {facts.high:.6g}"
    pairs = list(zip(facts.labels, facts.counts, strict=True))
    named = [f"{label!r} ({count})" for label, count in pairs]
    return f"classes: {some_and_count(named, len(named) if most is None else most)}"


def report_lines(facts: TargetFacts) -> Iterator[str]:
    """Yield what stands at the head of a report: the positive label, and all labels."""
    if line := positive_line(facts):
        yield line
    yield classes_line(facts)
