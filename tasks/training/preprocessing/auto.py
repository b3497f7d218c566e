"""The automatic preprocessing of a table: what a careful person would do, fitted on training rows.

| kind | what is done |
|---|---|
| numbers, booleans | gaps become the median, and a column marks them; scaled |
| categories, and texts whose values come again | one column a value; rare ones share one |
| texts of which most are rare | what their letters have in common, as a few numbers; scaled |
| dates | year, month, day, weekday, hour and days since 1970, as far as they differ; as numbers |
| times of day | the place on the clock, as two numbers |

The parts are scikit-learn's. `skrub.TableVectorizer` does much the same, but takes six times as
long for a small table, which many folds would wait for.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.preprocess import ColumnOutcome
from foldproof.tasks.training.preprocessing.letters import Letters
from foldproof.tasks.training.preprocessing.scaler import make_scaler

if TYPE_CHECKING:
    import pandas as pd

MAX_LEVELS = 40  # columns that the values of one become, the most frequent first
FEW_LEVELS = 10  # values that are categories, however rare each of them is
MIN_ROWS = 5  # of training that share a value which is not rare
SECONDS_A_DAY = 86400
DATE_PARTS = ("year", "month", "day", "day_of_week", "hour")
DTYPES = {"b": "booleans", "M": "dates", "m": "times", **dict.fromkeys("iuf", "numbers")}


def fit_auto(frame: "pd.DataFrame", scaler: str, seed: int) -> tuple["Auto", NDArray[np.float32]]:
    """Fit the automatic preprocessing on training rows, and return it with their features."""
    auto = Auto(frame, scaler, seed)
    return auto, auto.fit_transform(frame)


class Auto:
    """The steps for each column of a table.

    Attributes:
        outcome: what was done to each column, once they are fitted.
    """

    def __init__(self, frame: "pd.DataFrame", scaler: str, seed: int) -> None:
        """Choose the steps from training rows.

        Args:
            frame: the training rows.
            scaler: of numbers: a name or an import path.
            seed: of what is random.
        """
        kinds = {name: column_kind(frame[name].dtype) for name in frame.columns}
        self._kinds = {name: kind for name, kind in kinds.items() if frame[name].notna().any()}
        dates = [name for name, kind in self._kinds.items() if kind == "dates"]
        self._dates = {name: _differing(frame[name]) for name in dates}
        words = [n for n, kind in self._kinds.items() if kind in ("categories", "texts")]
        self._texts = [name for name in words if _is_mostly_rare(frame[name])]
        self._levels = [name for name in words if name not in self._texts]
        if not self._kinds:
            raise InputError("data.preprocess", "no column has a value in the training rows")
        self._numeric = [name for name in self._kinds if name not in words]
        self._is_scaled = scaler != "none"
        self._blocks = list(self._make_blocks(scaler, seed))
        self.outcome: tuple[ColumnOutcome, ...] = ()

    def fit_transform(self, frame: "pd.DataFrame") -> NDArray[np.float32]:
        """Learn from training rows, and return their features, (n, features)."""
        parts = [steps.fit_transform(read(frame)) for read, steps in self._blocks]
        self.outcome = tuple(self._tell(frame))
        return _joined(parts)

    def transform(self, raw: "pd.DataFrame", own: bool = False) -> NDArray[np.float32]:
        """Return the features of other rows, (n, features)."""
        with warnings.catch_warnings():  # unknown categories are what this is made for
            warnings.filterwarnings("ignore", "Found unknown categories")
            return _joined([steps.transform(read(raw)) for read, steps in self._blocks])

    def _make_blocks(self, scaler: str, seed: int) -> Iterator[tuple[Callable[[Any], Any], Any]]:
        """Yield what is read of a frame, and the steps that it goes through, side by side.

        They get arrays: scikit-learn's ColumnTransformer takes three times as long.
        """
        from sklearn.impute import MissingIndicator, SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder

        def scaled(*steps: Any) -> Any:
            return make_pipeline(*steps, *([make_scaler(scaler)] if self._is_scaled else []))

        if self._numeric:
            yield self._numbers, scaled(SimpleImputer(strategy="median"))
            yield self._known, MissingIndicator(error_on_new=False)
        if self._levels:
            rare = {"min_frequency": MIN_ROWS, "max_categories": MAX_LEVELS}
            unknown = {"handle_unknown": "infrequent_if_exist"}
            yield self._words, OneHotEncoder(**rare, **unknown, sparse_output=False)
        for name in self._texts:
            yield partial(_text, name), scaled(Letters(seed))

    def _numbers(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        """Return the numbers that all columns but those of words become, (n, numbers)."""
        kinds, dates = self._kinds, self._dates
        columns = [_numbers(frame[n], kinds[n], dates.get(n, ())) for n in self._numeric]
        return np.column_stack([part for parts in columns for part in parts])

    def _known(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        """Return a number for each of these columns, NaN where it has no value, (n, columns)."""
        return np.column_stack([np.where(frame[n].isna(), np.nan, 0.0) for n in self._numeric])

    def _words(self, frame: "pd.DataFrame") -> NDArray[Any]:
        """Return categories as objects, (n, columns)."""
        return np.column_stack([frame[n].astype(object).to_numpy() for n in self._levels])

    def _tell(self, frame: "pd.DataFrame") -> Any:
        """Yield what became of each column, in their order."""
        encoder = next((s for read, s in self._blocks if read == self._words), None)
        letters = [steps[0] for read, steps in self._blocks if isinstance(read, partial)]
        for name in frame.columns:
            kind, gaps = column_kind(frame[name].dtype), int(frame[name].isna().sum())
            if name not in self._kinds:
                yield ColumnOutcome(name, kind, gaps, "left out: no value in training", 0)
            elif name in self._levels:
                yield _told_levels(name, kind, gaps, encoder, self._levels.index(name))
            elif name in self._texts:
                step = "texts as numbers, by the letters they share"
                width = letters[self._texts.index(name)].width_
                yield ColumnOutcome(name, kind, gaps, step, width)
            else:
                yield self._told_numbers(name, kind, gaps)

    def _told_numbers(self, name: str, kind: str, gaps: int) -> ColumnOutcome:
        parts = {"dates": len(self._dates.get(name, ())), "times": 2}.get(kind, 1)
        step = {"dates": "parts of the date", "times": "place on the clock"}.get(kind, "")
        filled = "gaps filled by the median and marked" if gaps else ""
        scaled = "scaled" if self._is_scaled else ""
        told = "; ".join(part for part in (step, filled, scaled) if part)
        return ColumnOutcome(name, kind, gaps, told or "as it is", parts + bool(gaps))


def _joined(parts: list[NDArray[Any]]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.hstack(parts), dtype=np.float32)


def _text(name: str, frame: "pd.DataFrame") -> Any:
    """Return a column as texts, of which a gap is an empty one, (n,)."""
    return frame[name].astype(object).where(frame[name].notna(), "").to_numpy()


def _told_levels(name: str, kind: str, gaps: int, encoder: Any, place: int) -> ColumnOutcome:
    levels = len(encoder.categories_[place])
    infrequent = encoder.infrequent_categories_[place]
    rare = 0 if infrequent is None else len(infrequent)
    joined = f"; rare ones ({rare}) share one" if rare else ""
    outputs = levels - rare + bool(rare)
    return ColumnOutcome(name, kind, gaps, f"one column a value{joined}", outputs)


def column_kind(dtype: Any) -> str:
    """Return the kind of a frame's column by its type."""
    if str(dtype) == "category":
        return "categories"
    return DTYPES.get(getattr(dtype, "kind", ""), "texts")


def _is_mostly_rare(column: "pd.Series[Any]") -> bool:
    """Return whether most training rows have a value that few share: a text, a name, an id."""
    counts = column.value_counts()
    rare = counts[counts < MIN_ROWS].sum()
    return len(counts) > FEW_LEVELS and 2 * rare > counts.sum()


def _differing(dates: "pd.Series[Any]") -> tuple[str, ...]:
    """Return the parts of dates that differ among training rows; the days are always one."""
    known = dates.dropna().dt
    return (" (days)", *(f" ({part})" for part in DATE_PARTS if getattr(known, part).nunique() > 1))


def _numbers(column: "pd.Series[Any]", kind: str, date_parts: tuple[str, ...]) -> list[Any]:
    """Return the numbers that a column becomes, float64 with NaN for gaps."""
    if kind == "times":
        angle = column.dt.total_seconds().to_numpy() * (2 * np.pi / SECONDS_A_DAY)
        return [np.sin(angle), np.cos(angle)]
    if kind != "dates":
        return [column.to_numpy(dtype=np.float64, na_value=np.nan)]
    in_utc = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    seconds = in_utc.to_numpy().astype("datetime64[s]")
    days = np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64) / SECONDS_A_DAY)
    parts = (getattr(column.dt, part.strip(" ()")) for part in date_parts[1:])
    return [days, *(part.to_numpy(dtype=np.float64, na_value=np.nan) for part in parts)]
