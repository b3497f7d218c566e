"""The audit for a terminal: a table of at most 100 columns, and the words under it."""

import textwrap
from collections.abc import Iterator, Sequence

from foldproof.tasks.audit.table import REFERENCE, Comparison, judge

MAX_COLUMNS = 100
HEAD = ("", "cause", "compared with", "bits", "first differs", "scores", "metric")
WIDTHS = (2, 32, 13, 14, 13, 7, 7)


def audit_text(rows: Sequence[Comparison], subtitle: str) -> str:
    """Return the verdict, the table and the words.

    Args:
        rows: the comparisons, the reference first.
        subtitle: the fold, in words.
    """
    lines = [*_wrap(judge(rows).sentence), "", *_wrap(subtitle), "", *_table(rows), ""]
    return "\n".join([*lines, *_words(rows)])


def number_causes(rows: Sequence[Comparison]) -> dict[str, int]:
    """Return a number for each cause, from 0 for the reference."""
    return {name: number for number, name in enumerate(dict.fromkeys(row.cause for row in rows))}


def outcome(row: Comparison) -> str:
    """Return whether the bits were equal, in a word or two."""
    if not row.applies:
        return "does not apply"
    if row.error is not None:
        return "FAILED"
    return "equal" if row.bit_equal else "DIFFERENT"


def first_place(row: Comparison) -> str:
    """Return where two fits parted."""
    if not row.applies or row.bit_equal or row.error is not None:
        return ""
    if row.weights_sha256 is None:
        return ""  # an estimator has no epochs
    if row.first_divergent_epoch is None:
        return "predictions" if row.weights_sha256 == row.other_weights_sha256 else "at the end"
    return f"epoch {row.first_divergent_epoch}" if row.first_divergent_epoch else "at the start"


def partner(row: Comparison) -> str:
    """Return what the last fit under a cause is compared with."""
    return "foldproof's" if row.compared_with == REFERENCE else "its repeat"


def difference(value: float | None) -> str:
    """Write a difference; nothing where there is none to write."""
    return "" if value is None else "0" if value == 0 else f"{value:.2g}"


def cells(row: Comparison) -> list[str]:
    """Return a row's outcome: bits, where they parted, difference in scores and metric."""
    numbers = [difference(row.score_difference), difference(row.metric_difference)]
    return [outcome(row), first_place(row), *numbers]


def _table(rows: Sequence[Comparison]) -> Iterator[str]:
    yield _line(HEAD)
    numbers = number_causes(rows)
    last = ""
    for row in rows:
        again = row.cause == last
        title = ["", ""] if again else [str(numbers[row.cause] or ""), row.title]
        with_ = partner(row) if row.applies else ""
        yield _line([*title, with_, *cells(row)])
        last = row.cause


def _line(values: Sequence[str]) -> str:
    left = [f"{value:<{width}}" for value, width in zip(values[:5], WIDTHS[:5], strict=True)]
    right = [f"{value:>{width}}" for value, width in zip(values[5:], WIDTHS[5:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _words(rows: Sequence[Comparison]) -> Iterator[str]:
    numbers = number_causes(rows)
    last = ""
    for row in rows:
        if row.cause != last:
            number = f"{numbers[row.cause]} " if numbers[row.cause] else ""
            yield f"{number}{row.title}"
            yield from _wrap(row.done, "   ")
        label = f"{partner(row)}, {outcome(row)}: " if row.applies else ""
        yield from _wrap(f"-> {label}{row.meaning}", "   ")
        last = row.cause


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, MAX_COLUMNS, initial_indent=indent, subsequent_indent=indent)
