"""The table of curves: its schema, its order, and what comes back."""

import numpy as np
import pyarrow as pa

from foldproof.tasks.evaluation.curves.all_curves import all_curves
from foldproof.tasks.evaluation.curves.curve import Curve, curves_of, curves_table, mean_with_band
from foldproof.tasks.evaluation.curves.scored import scored_predictions
from foldproof.tasks.evaluation.schemas import curves_schema
from tests.support.scored import binary_table, history_table

CURVES = list(all_curves(scored_predictions(binary_table(repeats=2)), history_table()))


def test_the_table_has_its_schema_one_chunk_and_no_nan():
    table = curves_table("m:f", CURVES)
    assert table.schema == curves_schema()
    assert ",".join(table.column_names) == "model,repeat,fold,curve,x,y,low,high,label"
    for column in table.columns:
        assert column.num_chunks == 1
        assert all(value == value for value in column.to_pylist())
    assert table["low"].null_count > 0


def test_folds_come_in_order_and_what_is_of_none_at_the_end():
    table = curves_table("m:f", CURVES)
    last = 1 << 15
    places = [
        (last if r is None else r, last if f is None else f)
        for r, f in zip(table["repeat"].to_pylist(), table["fold"].to_pylist(), strict=True)
    ]
    assert places == sorted(places)
    assert set(table["curve"].to_pylist()) == {
        *("roc", "pr", "calibration", "threshold", "learning"),
    }


def test_curves_come_back_from_their_table():
    def place(curve: Curve):
        return (curve.kind, curve.label, str(curve.repeat), str(curve.fold))

    back = sorted(curves_of(curves_table("m:f", CURVES)), key=place)
    for one, other in zip(sorted(CURVES, key=place), back, strict=True):
        assert place(one) == place(other)
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)
        assert (one.low is None) == (other.low is None)


def test_no_curves_are_an_empty_table():
    assert curves_table("m:f", []).num_rows == 0
    assert list(curves_of(curves_table("m:f", []))) == []
    assert isinstance(curves_table("m:f", []), pa.Table)


def test_a_band_is_a_standard_deviation():
    rows = [np.array([1.0, 2.0]), np.array([3.0, np.nan])]
    mean, *band = mean_with_band(rows)
    low, high = map(np.asarray, band)
    np.testing.assert_array_equal(mean, [2.0, 2.0])
    np.testing.assert_allclose([low[0], high[0]], [2 - 2**0.5, 2 + 2**0.5])
    assert np.isnan(low[1])
