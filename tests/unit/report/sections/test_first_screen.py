"""The first screen: the main result in a sentence, and what was done."""

import pytest

from foldproof.tasks.report.sections.first_screen import first_facts, main_result
from tests.support.reports import REGRESSOR, finish

ROW = {
    "metric": "roc_auc",
    "n_folds": 9,
    "n_planned": 10,
    "mean": 0.9,
    "pooled": 0.8,
    "ci_low": 0.7,
    "ci_high": 0.95,
    "ci_method": "because",
    "estimate": "mean",
}
NAMED = "On rows that its models had not seen, the area under the ROC curve (roc_auc) was"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, f"{NAMED} 0.9000 (95 % ends 0.7000 to 0.9500), on average over 9 of 10 folds."),
        (
            {"estimate": "pooled"},
            f"{NAMED} 0.8000 (95 % ends 0.7000 to 0.9500), all test rows taken together, "
            "9 of 10 folds.",
        ),
        (
            {"ci_low": None, "ci_high": None},
            f"{NAMED} 0.9000 on average over 9 of 10 folds. It has no interval (because).",
        ),
        (
            {"mean": None, "ci_low": None, "ci_high": None},
            "The area under the ROC curve (roc_auc) has no value in any fold.",
        ),
    ],
)
def test_the_main_result_is_a_sentence(more, said):
    assert main_result([ROW | more], "95 % ends") == said


def test_the_facts_of_a_binary_task(tmp_path):
    done = finish(tmp_path, data={"source": "breast_cancer"}, split={"n_splits": 3, "n_repeats": 2})
    facts = first_facts(done.tables, done.run.key)
    assert facts == {
        "data": "569 rows, 30 features, binary",
        "positive class": "malignant",
        "events": "212 of 569 rows (37.3 %)",
        "model": "sklearn.linear_model:LogisticRegression(max_iter=1000)",
        "split": "6 folds by stratified_kfold, 2 repeats",
        "training": "scaler standard",
        "coverage": "6 of 6 folds finished",
        "seed": "1337",
    }


def test_a_regression_says_the_range_of_its_target(tmp_path):
    done = finish(tmp_path, data={"source": "diabetes"}, model=REGRESSOR)
    facts = first_facts(done.tables, done.run.key)
    assert facts["target"] == "25 to 346"
    assert "events" not in facts
