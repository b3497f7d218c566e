"""Two cells of the simulation in docs/statistics.md: the defaults hold the truth often enough."""

import pytest

from tests.bench.interval_coverage import METHODS, Cell, simulate, table

STUDIES = 200
DEFAULT = {"roc_auc": "corrected_t", "sensitivity": "clopper_pearson", "accuracy": "corrected_t"}
LEAST = 0.90  # of a promised 0.93, with what 200 studies may be off by


@pytest.mark.long
@pytest.mark.parametrize("cell", [Cell(100, 0.5, 0.8), Cell(200, 0.1, 0.95)], ids=str)
def test_defaults_hold_the_fitted_models_performance(cell: Cell) -> None:
    rows = simulate(cell, STUDIES)
    for metric, method in DEFAULT.items():
        (row,) = (r for r in rows if (r["metric"], r["method"]) == (metric, method))
        assert row["models"] >= LEAST, row


def test_studies_follow_from_their_seeds() -> None:
    cell = Cell(50, 0.5, 0.8)
    rows = simulate(cell, 5)
    assert rows == simulate(cell, 5)
    assert len(rows) == sum(map(len, METHODS.values()))
    assert "| roc_auc | `corrected_t` | all sizes | " in table(rows)
