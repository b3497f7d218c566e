"""A flow run's name says how many folds there are where that is known."""

import pytest

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.prefect_flow.names import readable_name

NAMES = [
    ({"n_splits": 4, "n_repeats": 2}, None, "mlp on iris, 8 folds"),
    ({"method": "leave_one_out"}, None, "mlp on iris, leave_one_out"),
    ({"method": "leave_one_out"}, 150, "mlp on iris, 150 folds"),
    ({"method": "own:Forward"}, None, "mlp on iris, own:Forward"),
    ({"method": "own:Forward"}, 6, "mlp on iris, 6 folds"),
]


@pytest.mark.parametrize(("split", "folds", "name"), NAMES)
def test_only_the_rows_tell_how_many_folds_some_methods_make(split, folds, name):
    study = parse_study({"data": {"source": "iris"}, "split": split})
    assert readable_name(study, folds) == name
