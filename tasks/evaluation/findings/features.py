"""Features that are no measurements: row numbers, ids, constants, what gives the answer away."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.common.task import CLASSES, NUMBERS
from foldproof.tasks.common.text import some_and_count
from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding

MAX_VALUES = 1 << 22  # of the features that are looked at one by one: a second or two
MIN_ROWS = 30  # below which a feature may predict alone by chance
ALONE = 0.99  # of an AUC, a rank correlation, or an accuracy
DISTINCT_IDS = 0.9  # of the rows
SHOWN = 5
Values = NDArray[np.float64]


def row_numbers(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on features that number the rows, or name each of them."""
    found = [name for name, values in _columns(evidence) if _numbers_rows(values)]
    found += [name for name, column in _words(evidence) if _names_rows(column)]
    if found:
        message = f"{_listed(found)} {_verb(found, 'numbers or names', 'number or name')} the rows"
        remedy = "leave such a column out with data.drop, or name it in data.id"
        yield Finding("FP103", message, remedy, _listed(found))


def alone(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on features each of which predicts the target alone."""
    codes = evidence.dataset.codes()
    if len(codes) < MIN_ROWS or codes.ndim > 1:  # or several targets
        return
    task = evidence.dataset.task
    found = [name for name, values in _columns(evidence) if _predicts(values, codes, task)]
    if task in CLASSES:
        found += [name for name, column in _words(evidence) if _tells(column, codes)]
    if found:
        each = "each of them " if len(found) > 1 else ""
        message = f"{_listed(found)} {each}alone tells the target almost without error"
        remedy = "make sure that it is known before the target is; else leave it out with data.drop"
        yield Finding("FP104", message, remedy, _listed(found))


def constants(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on features with one value, or with none."""
    numbers, frame = evidence.numbers, evidence.frame
    if frame is not None:
        same = [name for name in frame.column_names if pc.count_distinct(frame[name]).as_py() < 2]
        found = [f"column {name!r}" for name in same]
    elif numbers is not None and numbers.size <= MAX_VALUES * 16:
        flat = np.flatnonzero((numbers == numbers[:1]).all(axis=0))
        found = [f"feature {place}" for place in flat]
    else:
        return
    if found:
        message = f"{_listed(found)} {_verb(found, 'has', 'have')} one value in all rows"
        yield Finding("FP105", message, "", _listed(found), "info")


def _columns(evidence: Evidence) -> Iterator[tuple[str, Values]]:
    """Yield the name and the values of each feature that is a number, gaps as NaN."""
    numbers, frame = evidence.numbers, evidence.frame
    if frame is not None and frame.num_rows * frame.num_columns <= MAX_VALUES:
        for name in frame.column_names:
            kind = frame[name].type
            if pa.types.is_integer(kind) or pa.types.is_floating(kind):
                values = frame[name].cast(pa.float64(), safe=False).to_numpy()
                yield f"column {name!r}", values
    elif numbers is not None and numbers.size <= MAX_VALUES and evidence.is_tabular:
        for place in range(numbers.shape[1]):
            yield f"feature {place}", numbers[:, place].astype(np.float64)


def _words(evidence: Evidence) -> Iterator[tuple[str, pa.Array]]:
    """Yield the name and the values of each column of categories or texts."""
    frame = evidence.frame
    if frame is None or frame.num_rows * frame.num_columns > MAX_VALUES:
        return
    for column in evidence.dataset.columns:
        if column.kind in ("categories", "texts"):
            yield f"column {column.name!r}", frame[column.name].combine_chunks()


def _numbers_rows(values: Values) -> bool:
    """Tell whether values go up, or down, by the same whole number from row to row."""
    steps = np.diff(values)
    is_even = len(steps) > 1 and bool((steps == steps[0]).all()) and steps[0] != 0
    return is_even and bool((values == np.floor(values)).all())


def _names_rows(column: pa.Array) -> bool:
    """Tell whether nearly every row has a value of its own, of one word."""
    distinct = pc.count_distinct(column).as_py()
    if distinct < max(DISTINCT_IDS * len(column), MIN_ROWS):
        return False
    with_blanks = pc.sum(pc.match_substring(column.cast(pa.large_string()), " ")).as_py() or 0
    return bool(with_blanks < (1 - DISTINCT_IDS) * len(column))


def _predicts(values: Values, codes: NDArray[np.generic], task: str) -> bool:
    known = np.isfinite(values)
    if known.mean() < DISTINCT_IDS or np.ptp(values[known]) == 0:
        return False
    values, codes = values[known], codes[known]
    if task in NUMBERS:
        return abs(_rank_correlation(values, np.asarray(codes, float))) >= ALONE
    if task == "binary":
        return _auc(values, np.asarray(codes == codes.max())) >= ALONE
    return task in CLASSES and _best_cuts(values, np.asarray(codes)) >= ALONE


def _rank_correlation(first: Values, second: Values) -> float:
    from scipy import stats

    ranks = stats.rankdata(first), stats.rankdata(second)
    return float(np.corrcoef(*ranks)[0, 1]) if np.ptp(ranks[1]) else 0.0


def _auc(values: Values, positive: NDArray[np.bool_]) -> float:
    """Return the AUC of a feature, whichever direction is the better one."""
    from scipy import stats

    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        return 0.0
    above = float(stats.rankdata(values)[positive].sum()) - m * (m + 1) / 2
    return max(above, m * n - above) / (m * n)


def _best_cuts(values: Values, codes: NDArray[np.generic]) -> float:
    """Return the accuracy of as many intervals of a feature as there are classes."""
    from sklearn.tree import DecisionTreeClassifier

    classes = len(np.unique(codes))
    tree = DecisionTreeClassifier(max_leaf_nodes=max(classes, 2), random_state=0)
    return float(tree.fit(values.reshape(-1, 1), codes).score(values.reshape(-1, 1), codes))


def _tells(column: pa.Array, codes: NDArray[np.generic]) -> bool:
    """Tell whether each category has almost one label only, and rows enough to mean it."""
    places = pc.fill_null(column.dictionary_encode().indices, -1).to_numpy()
    kinds, places = np.unique(places, return_inverse=True)
    labels, classes = np.unique(codes, return_inverse=True)
    if not 1 < len(kinds) <= len(codes) / 5:
        return False
    counts = np.zeros((len(kinds), len(labels)))
    np.add.at(counts, (places, classes), 1)
    return float(counts.max(axis=1).sum() / len(codes)) >= ALONE


def _listed(names: Sequence[str]) -> str:
    return some_and_count(list(names), SHOWN)


def _verb(names: Sequence[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several


CHECKS: tuple[Check, ...] = (row_numbers, alone, constants)
