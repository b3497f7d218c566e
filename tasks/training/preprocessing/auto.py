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
        self._steps = self._column_transformer(scaler, seed)
        self.outcome: tuple[ColumnOutcome, ...] = ()

    def fit_transform(self, frame: "pd.DataFrame") -> NDArray[np.float32]:
        """Learn from training rows, and return their features, (n, features)."""
        features = self._steps.fit_transform(self._expanded(frame))
        self.outcome = tuple(self._tell(frame))
        return np.ascontiguousarray(features, dtype=np.float32)

    def transform(self, raw: "pd.DataFrame", own: bool = False) -> NDArray[np.float32]:
        """Return the features of other rows, (n, features)."""
        with warnings.catch_warnings():  # unknown categories are what this is made for
            warnings.filterwarnings("ignore", "Found unknown categories")
            features = self._steps.transform(self._expanded(raw))
        return np.ascontiguousarray(features, dtype=np.float32)

    def _column_transformer(self, scaler: str, seed: int) -> Any:
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import MissingIndicator, SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder

        def scaled(*steps: Any) -> Any:
            return make_pipeline(*steps, *([] if scaler == "none" else [make_scaler(scaler)]))

        parts = self._parts()
        numbers = [part for of_column in parts.values() for part in of_column]
        firsts = [of_column[0] for of_column in parts.values()]  # a date's parts lack together
        rare = {"min_frequency": MIN_ROWS, "max_categories": MAX_LEVELS}
        levels = OneHotEncoder(**rare, handle_unknown="infrequent_if_exist", sparse_output=False)
        steps = [
            ("numbers", scaled(SimpleImputer(strategy="median")), numbers),
            ("gaps", MissingIndicator(error_on_new=False), firsts),
            ("levels", levels, [f"levels {name}" for name in self._levels]),
            *(
                (f"text {n}", scaled(Letters(seed)), f"text {name}")
                for n, name in enumerate(self._texts)
            ),
        ]
        return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0)

    def _parts(self) -> dict[str, list[str]]:
        """Return the names of the numbers that become of each column."""
        of_kind = {"numbers": ("",), "booleans": ("",), "times": (" (sine)", " (cosine)")}
        return {
            name: [f"{place}{end}" for end in self._dates.get(name, of_kind.get(kind, ()))]
            for place, (name, kind) in enumerate(self._kinds.items())
            if kind not in ("categories", "texts")
        }

    def _expanded(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Return numbers for all columns but those of words, float64, and the words."""
        import pandas as pd

        columns: dict[Any, Any] = {}
        for name, names in self._parts().items():
            values = _numbers(frame[name], self._kinds[name], self._dates.get(name, ()))
            columns |= dict(zip(names, values, strict=True))
        for name in self._levels:
            columns[f"levels {name}"] = frame[name].astype(object)
        for name in self._texts:
            columns[f"text {name}"] = frame[name].astype(object).where(frame[name].notna(), "")
        return pd.DataFrame(columns, index=frame.index)

    def _tell(self, frame: "pd.DataFrame") -> Any:
        """Yield what became of each column, in their order."""
        encoder = self._steps.named_transformers_.get("levels")
        for name in frame.columns:
            kind, gaps = column_kind(frame[name].dtype), int(frame[name].isna().sum())
            if name not in self._kinds:
                yield ColumnOutcome(name, kind, gaps, "left out: no value in training", 0)
            elif name in self._levels:
                yield _told_levels(name, kind, gaps, encoder, self._levels.index(name))
            elif name in self._texts:
                step = "texts as numbers, by the letters they share"
                letters = self._steps.named_transformers_[f"text {self._texts.index(name)}"][0]
                yield ColumnOutcome(name, kind, gaps, step, letters.width_)
            else:
                parts = len(self._parts()[name])
                step = {"dates": "parts of the date", "times": "place on the clock"}.get(kind, "")
                filled = "gaps filled by the median and marked" if gaps else ""
                told = "; ".join(part for part in (step, filled, "scaled") if part)
                yield ColumnOutcome(name, kind, gaps, told, parts + bool(gaps))


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
