"""The page: one file, nothing from outside, and what comes from data is only text."""

import re
import shutil
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from foldproof.tasks.common.text import number
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.evaluation.tables import reduce_folds
from foldproof.tasks.report.page import render
from tests.support.pages import EVIL, Page
from tests.support.reports import ALONE, CLASSIFIER, REGRESSOR, finish, prepared, settings, train


def page_of(finished):
    return (finished.path / "report.html").read_text(encoding="utf-8")


def dots_of(text):
    """The folds that the forest plot has a dot for, over all metrics."""
    forest = re.search(r'<figure class="forest">.*?</figure>', text, re.DOTALL)
    return len(re.findall(r"<use [^>]*var\(--blue\)", forest.group(0))) if forest else 0


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def iris(out):
    return finish(out)


@pytest.fixture(scope="module")
def evil(out):
    """A run whose labels, errors and notices hold markup."""
    features = np.random.default_rng(0).normal(size=(30, 3))
    labels = np.where(np.arange(30) % 3 > 0, EVIL, "a & b")
    return finish(
        out,
        lambda _, fold: f"ValueError: {EVIL}" if fold == 2 else None,
        data=DataSpec.from_arrays(features, labels),
        metrics=["roc_auc", "accuracy"],
        notices=(f"notice {EVIL}",),
    )


def test_the_page_is_well_formed(iris, evil):
    for finished in (iris, evil):
        assert page_of(finished).startswith("<!doctype html>\n<html")
        page = Page(page_of(finished))
        assert {"html", "head", "title", "body", "table", "svg"} <= set(page.tags)


def test_nothing_comes_from_outside(iris, evil):
    for finished in (iris, evil):
        text = page_of(finished)
        page = Page(text)
        assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
        assert not {"src", "srcset", "action"} & {name for name, _ in page.attributes}
        links = [to or "" for name, to in page.attributes if name == "href"]
        assert all(link.startswith("#") for link in links)
        assert not any(name.startswith("on") for name, _ in page.attributes)
        assert not re.search(r"https?://|@import|url\((?!#)", text)


def test_what_comes_from_data_is_shown_as_text(evil):
    text = page_of(evil)
    assert "<script" not in text
    page = Page(text)
    assert f"ValueError: {EVIL}" in page.text
    assert f"notice {EVIL}" in page.text


def hostile(value):
    """Put markup into every text of a run's key, but for the metrics, which name columns."""
    if isinstance(value, dict):
        return {name: item if name == "metrics" else hostile(item) for name, item in value.items()}
    return EVIL if isinstance(value, str) else value


def test_nothing_of_a_key_is_taken_for_markup(iris):
    text = render(iris.tables, hostile(iris.run.key), (EVIL,))
    assert "<script" not in text
    assert Page(text).text.count(EVIL) >= 6


def test_everything_in_the_tables_is_on_the_page(iris):
    text = Page(page_of(iris)).text
    assert CLASSIFIER["builder"] in text
    assert "150 rows, 4 features, multiclass; 3 folds by stratified_kfold; seed 1337" in text
    for row in iris.tables.summary.to_pylist():
        assert row["metric"] in text
        assert f"{row['n_folds']} of {row['n_planned']}" in text
        assert row["ci_method"] in text
        for value in ("mean", "std", "ci_low", "ci_high", "pooled"):
            assert number(row[value]) in text
    for row in iris.tables.folds.to_pylist():
        assert f"{row['repeat']}/{row['fold']}" in text
        assert number(row["accuracy"]) in text
    assert iris.run.dataset.digest in text


def test_labels_and_counts_are_at_the_head(iris, out):
    assert "classes: 'setosa' (50), 'versicolor' (50), 'virginica' (50)" in Page(page_of(iris)).text
    assert "positive:" not in Page(page_of(iris)).text
    numbers = finish(out, data={"source": "diabetes"}, model=REGRESSOR, metrics=["r2"])
    assert "target: 442 values from 25 to 346" in Page(page_of(numbers)).text


def test_the_positive_label_is_named_at_the_head_and_beside_each_table(out):
    finished = finish(out, data={"source": "breast_cancer"}, metrics=["sensitivity"])
    text = Page(page_of(finished)).text
    named = "positive: 'malignant' (212 of 569)"
    assert f"{named}, the larger label; for the other: --data.positive benign" in text
    assert "classes: 'benign' (357), 'malignant' (212)" in text
    assert text.count(named) == 3  # the head, the metrics, the folds
    for heading in ("Metrics", "Folds"):
        assert named in text.partition(heading)[2]
    assert '<p class="notice">' not in page_of(finished)


def test_a_label_that_may_be_the_wrong_one_is_a_notice(out):
    data = DataSpec.from_arrays([[float(i)] for i in range(20)], ["case", "control"] * 10)
    finished = finish(out, data=data)
    assert "<p class=\"notice\">warning: 'case' is a word" in unescape(page_of(finished))


def test_a_dot_a_fold_and_metric_is_drawn(iris):
    assert dots_of(page_of(iris)) == 9


def test_a_complete_run_is_not_marked(iris):
    assert "Incomplete" not in Page(page_of(iris)).text
    assert "<tr class=failed>" not in page_of(iris)


def test_failed_folds_are_marked_and_counted(evil):
    text = page_of(evil)
    assert "Incomplete" in Page(text).text
    assert "1 of 3 folds failed. All numbers cover the 2 others only." in Page(text).text
    assert text.count("<tr class=failed>") == 1


def test_undefined_values_are_listed_with_their_reason(out):
    finished = finish(out, **ALONE, metrics=["roc_auc"])
    page = Page(page_of(finished))
    assert "Undefined values" in page.text
    assert "Only one class is present" in page.text
    assert dots_of(page_of(finished)) == 0


def test_a_run_of_equal_values_is_drawn(tmp_path):
    finished = finish(tmp_path, data={"source": "blobs"}, metrics=["accuracy"])
    assert set(finished.tables.folds["accuracy"].to_pylist()) == {1.0}
    assert dots_of(page_of(finished)) == 3


def test_a_run_without_finished_folds_has_a_page(out):
    finished = finish(out, lambda *_: "ValueError: boom", seed=3)
    page = Page(page_of(finished))
    assert "3 of 3 folds failed" in page.text
    assert "svg" not in page.tags


def test_large_and_small_numbers_are_readable(out):
    finished = finish(out, data={"source": "diabetes"}, model=REGRESSOR, metrics=["neg_max_error"])
    assert number(finished.tables.summary["mean"][0].as_py()) in page_of(finished)


def test_the_page_is_the_same_every_time(tmp_path):
    with prepared(settings(tmp_path)) as run:
        tables = reduce_folds(run.dataset, run.plan, run.jobs, train(run), run.metrics)
        assert render(tables, run.key, ()) == render(tables, run.key, ())


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0.5, "0.5000"), (-12.34567, "-12.3457"), (123456.789, "123457"), (0.0, "0.0000")],
)
def test_numbers_are_shown_in_four_places(value, shown):
    assert number(value) == shown


def test_two_names_paths_and_engines_give_the_same_bytes(tmp_path):
    """What may differ between equal runs is in no file that the manifest covers."""
    source = tmp_path / "one.csv"
    lines = (f"{i % 7},{i % 5},{'case' if i % 3 else 'control'}\n" for i in range(60))
    source.write_text("a,b,y\n" + "".join(lines))
    other = tmp_path / "elsewhere" / "two.csv"
    other.parent.mkdir()
    shutil.copy(source, other)
    bytes_of = []
    for number_of, (path, name, engine) in enumerate(
        ((source, "tokelau", "compiled"), (other, "niue", "plain"))
    ):
        done = finish(
            tmp_path / str(number_of),
            data={"source": str(path), "target": "y"},
            name=name,
            train={"engine": engine},
        )
        files = {each.name: each.read_bytes() for each in sorted(done.path.iterdir())}
        del files["execution.parquet"]
        bytes_of.append((done.run_id, files))
        for content in files.values():
            for word in (str(tmp_path), path.name, name):
                assert word.encode() not in content, word
    assert bytes_of[0] == bytes_of[1]


def test_the_lines_to_copy_are_on_the_page(iris):
    text = Page(page_of(iris)).text
    assert "foldproof verify ." in text
    assert "foldproof cv --config settings.yaml --data.source YOUR_FILE" in text


def test_predictions_of_another_form_have_tables_without_figures(iris):
    odd = iris.tables.predictions.rename_columns(
        [name.replace("y_true", "y_true_a") for name in iris.tables.predictions.column_names]
    )
    text = render(replace(iris.tables, predictions=odd), iris.run.key, ())
    assert "Confusion matrix" not in Page(text).text
    assert dots_of(text) == 9
    assert text.count("<figure") == 1
