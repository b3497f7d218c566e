"""What a target holds, in words: the positive label with its count, and all labels."""

import json

import numpy as np
import pytest

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.target import resolve_target
from foldproof.tasks.data.target_facts import (
    TargetFacts,
    classes_line,
    positive_line,
    report_lines,
    target_facts,
)


def facts_of(values, **settings) -> TargetFacts:
    """Return the facts of a target as it stands in a file."""
    return target_facts(resolve_target(np.array(values), DataSpec(**settings)))


STUDY = ["case"] * 113 + ["control"] * 87
LARGER = "positive: 'control' (87 of 200), the larger label; for the other: --data.positive case"


def test_counts_stand_in_the_order_of_the_labels():
    facts = facts_of(["b", "a", "b", "c"])
    assert (facts.labels, facts.counts, facts.rows) == (("a", "b", "c"), (1, 2, 1), 4)
    assert facts.positive is None
    assert facts.negative is None


@pytest.mark.parametrize("values", [STUDY, [0, 1, 1], [0.5, -1e-9, 3], ["x", "y", "z"]])
def test_facts_come_back_from_the_key_of_a_run(values):
    facts = facts_of(values)
    settings = {"task": facts.task, "positive": facts.positive}
    data = {"rows": facts.rows, "settings": settings, **facts.for_key()}
    assert TargetFacts.of_key(json.loads(json.dumps({"data": data}))) == facts
    del data["counts"]
    assert TargetFacts.of_key({"data": data}) is None  # a report of 0.1.0


def test_a_default_that_is_a_positive_word_is_no_warning():
    line = positive_line(facts_of(["benign"] * 3 + ["malignant"] * 2))
    assert line == (
        "positive: 'malignant' (2 of 5), the larger label; for the other: --data.positive benign"
    )


def test_a_default_beside_a_positive_word_is_a_warning_that_says_so():
    line = positive_line(facts_of(STUDY))
    assert line == f"warning: 'case' is a word for the positive class, yet {LARGER}"


@pytest.mark.parametrize("labels", [("a", "b"), ("yes", "positive"), (0, 2)])
def test_a_default_that_no_word_decides_is_a_warning(labels):
    line = positive_line(facts_of([labels[0], labels[1], labels[1]]))
    low, high = sorted(labels, key=str)
    count = 2 if high == labels[1] else 1
    assert line == (
        f"warning: positive: {high!r} ({count} of 3), the larger label; "
        f"for the other: --data.positive {low}"
    )


@pytest.mark.parametrize(
    ("values", "positive"), [([0, 1, 1], 1), ([False, True, True], "'True'"), ([-1, 1, 1], 1)]
)
def test_one_and_true_are_positive_words(values, positive):
    line = positive_line(facts_of(values))
    assert line.startswith(f"positive: {positive} (2 of 3), the larger label; ")


def test_one_and_two_are_told_apart():
    line = positive_line(facts_of([1, 2, 2]))
    assert line.startswith("warning: 1 is a word for the positive class, yet positive: 2 (2 of 3)")


def test_a_label_that_somebody_chose_is_named_without_more():
    facts = facts_of(STUDY, positive="case")
    assert positive_line(facts, chosen=True) == "positive: 'case' (113 of 200)"
    assert positive_line(facts) == "positive: 'case' (113 of 200)"  # a report does not know
    facts = facts_of(STUDY, positive="control")
    assert positive_line(facts, chosen=True) == "positive: 'control' (87 of 200)"


def test_a_zero_can_be_positive():
    facts = facts_of([0, 1, 1], positive=0)
    assert (positive_line(facts), facts.negative) == ("positive: 0 (1 of 3)", 1)


def test_classes_and_numbers_have_a_line_of_their_own():
    assert classes_line(facts_of(STUDY)) == "classes: 'case' (113), 'control' (87)"
    assert classes_line(facts_of([25.0, 346.5, 100.0])) == "target: 3 values from 25 to 346.5"
    many = facts_of([f"c{i:02d}" for i in range(40)])
    assert classes_line(many, most=12).endswith("'c11' (1) and 28 more")
    assert next(report_lines(many)).endswith("'c39' (1)")


def test_a_report_names_the_positive_label_and_all_labels():
    assert list(report_lines(facts_of(["no", "yes", "yes"]))) == [
        "positive: 'yes' (2 of 3), the larger label; for the other: --data.positive no",
        "classes: 'no' (1), 'yes' (2)",
    ]
