"""What differs between two values of plain JSON is named by its place."""

from foldproof.tasks.common.json_diff import json_diff


def test_equal_values_do_not_differ() -> None:
    value = {"a": [1, {"b": None}]}
    assert list(json_diff(value, dict(value))) == []


def test_each_part_that_differs_has_its_dotted_name_and_both_values() -> None:
    before = {"train": {"epochs": 5, "loss": "mse"}, "seed": 1, "gone": 2}
    now = {"train": {"epochs": 6, "loss": "mse"}, "seed": 1, "new": [3]}
    assert list(json_diff(before, now)) == [
        ("gone", 2, None),
        ("new", None, [3]),
        ("train.epochs", 5, 6),
    ]


def test_a_mapping_in_place_of_a_value_is_one_difference() -> None:
    assert list(json_diff({"a": {"b": 1}}, {"a": 1})) == [("a", {"b": 1}, 1)]
