import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from foldproof.tasks.report.result import Result, summary_text
from tests.support.reports import REGRESSOR, finish


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def result(finished):
    return Result(finished.path, finished.run_id, 3, 0)


@pytest.mark.parametrize("name", ["folds", "summary", "predictions", "history"])
def test_tables_are_data_frames_of_the_report(finished, result, name):
    found = getattr(result, name)
    assert isinstance(found, pd.DataFrame)
    assert_frame_equal(found, getattr(finished.tables, name).to_pandas())
    assert getattr(result, name) is found


def test_a_result_prints_as_a_table(finished, result):
    lines = str(result).splitlines()
    assert lines[0].split() == [
        "metric",
        "mean",
        "std",
        "min",
        "max",
        "95",
        "%",
        "interval",
        "folds",
    ]
    assert [line.split()[0] for line in lines[1:]] == [
        "accuracy",
        "balanced_accuracy",
        "roc_auc_ovr",
    ]
    assert len({len(line) for line in lines}) == 1
    row = finished.tables.summary.to_pylist()[0]
    values = finished.tables.folds["accuracy"].to_pylist()
    numbers = [row["mean"], row["std"], min(values), max(values), row["ci_low"], row["ci_high"]]
    shown = lines[1].split()
    assert [shown[i] for i in (1, 2, 3, 4, 5, 7)] == [f"{number:.4f}" for number in numbers]
    assert lines[1].endswith("3 of 3")


def test_what_does_not_exist_is_a_dash(tmp_path):
    finished = finish(
        tmp_path,
        lambda _, fold: "ValueError: boom",
        data={"source": "diabetes"},
        model=REGRESSOR,
        metrics=["r2"],
    )
    assert summary_text(finished.path).splitlines()[1].split() == ["r2", *"------", "0", "of", "3"]


def test_a_binary_result_names_the_positive_label_wherever_it_is_shown(tmp_path):
    finished = finish(tmp_path, data={"source": "breast_cancer"})
    result = Result(finished.path, finished.run_id, 3, 0)
    line = (
        "positive: 'malignant' (212 of 569), the larger label; for the other: "
        "--data.positive benign"
    )
    assert str(result) == f"{line}\n{summary_text(finished.path)}"
    assert result.positive == "malignant"
    assert result.classes == {"benign": 357, "malignant": 212}
    assert repr(result) == (
        f"<Result {finished.run_id}: 3 of 3 folds, positive 'malignant' (212 of 569); "
        f"{finished.path}>"
    )


def test_a_label_that_was_set_is_named_without_a_word_on_the_other(tmp_path):
    data = {"source": "breast_cancer", "positive": "benign"}
    finished = finish(tmp_path, data=data)
    result = Result(finished.path, finished.run_id, 3, 0, chosen=True)
    assert str(result).splitlines()[0] == "positive: 'benign' (357 of 569)"
    assert result.positive == "benign"


def test_other_results_have_no_positive_label(result):
    assert result.positive is None
    assert result.classes == {"setosa": 50, "versicolor": 50, "virginica": 50}
    assert "positive" not in repr(result)
