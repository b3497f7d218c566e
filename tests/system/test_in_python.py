"""`foldproof.cross_validate` as somebody writes it who comes from scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.model_selection import cross_validate as theirs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import foldproof


def test_folds_and_scores_are_scikit_learns(tmp_path, prefect_api, monkeypatch):
    """The same splitter, estimator and scorer in both."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    monkeypatch.chdir(tmp_path)
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    splitter = StratifiedKFold(3, shuffle=True, random_state=3)
    model = LogisticRegression(C=0.5, max_iter=5000)
    scoring = {"roc_auc": "roc_auc", "f1": make_scorer(f1_score)}
    ours = foldproof.cross_validate(model, data.data, data.target, cv=splitter, scoring=scoring)
    pipe = make_pipeline(StandardScaler(), model)
    found = theirs(pipe, data.data.astype("float32"), data.target, cv=splitter, scoring=scoring)
    columns = {name.partition("@")[0]: name for name in ours.folds.columns}
    np.testing.assert_allclose(ours.folds[columns["roc_auc"]], found["test_roc_auc"], atol=1e-4)
    np.testing.assert_allclose(
        ours.folds[columns["f1_score" if "f1_score" in columns else "f1"]],
        found["test_f1"],
        atol=0.01,
    )
    as_pairs = list(splitter.split(data.data, data.target))
    with_pairs = foldproof.cross_validate(
        model, data=data.frame, target="target", cv=as_pairs, scoring=scoring
    )
    assert list(with_pairs.folds.predictions_sha256) == list(ours.folds.predictions_sha256)


@pytest.mark.long
def test_what_only_this_process_knows_is_proved_here(tmp_path, prefect_api, monkeypatch, capsys):
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)

    def build():
        return LogisticRegression(C=0.5)

    options = {"cv": KFold(3, shuffle=True, random_state=1), "scoring": ["roc_auc", accuracy_score]}
    for model in (build, LogisticRegression(C=0.5)):
        result = foldproof.cross_validate(model, X, y, **options)
        assert list(result.scores) == ["roc_auc", "accuracy_score"]
        capsys.readouterr()
        assert result.verify(folds=1)
        assert capsys.readouterr().out.splitlines()[-1] == "identical"
    (result.path / "summary.parquet").write_bytes(b"")
    assert not result.verify(folds=0)
