"""settings.yaml repeats a run: its key is the same, and no source stands in it."""

import pytest
import yaml

from foldproof.tasks.config.yaml_file import read_settings
from foldproof.tasks.report.settings_file import SETTINGS, settings_text
from tests.support.reports import REGRESSOR, finish, prepared


@pytest.mark.parametrize(
    "given",
    [
        {"data": {"source": "breast_cancer", "positive": "benign"}, "metrics": ["f1", "roc_auc"]},
        {"data": {"source": "diabetes"}, "model": REGRESSOR, "split": {"method": "shuffle_split"}},
        {"report": {"level": 0.9}, "seed": 7, "split": {"n_splits": 4, "n_repeats": 2}},
    ],
)
def test_the_same_settings_give_the_same_run(tmp_path, given):
    first = finish(tmp_path, **given)
    read = read_settings(str(first.path / SETTINGS))
    assert "source" not in read.get("data", {})
    again = {**read, "data": {**read.get("data", {}), "source": first.run.study.data.source}}
    with prepared({**again, "out": str(tmp_path)}) as run:
        assert run.key == first.run.key


def test_it_says_how_to_use_it(tmp_path):
    text = settings_text(finish(tmp_path).run.key)
    assert "# foldproof cv --config settings.yaml --data.source YOUR_FILE" in text
    assert str(tmp_path) not in text
    assert yaml.safe_load(text)["model"]["params"] == {"max_iter": 1000}
