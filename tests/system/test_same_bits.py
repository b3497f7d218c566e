"""The bits of plain data are those of earlier versions: weights, scores and metrics."""

import json
from pathlib import Path

import pytest

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.workers.host_process import FRESH_VARIABLE
from tests.results.golden import RUNS, Golden, Kind, differences, digests, numerics_here

FIRST = ROOT / "tests" / "data" / "digests_0_1_0.json"
UNKNOWN = "the known digests are of other processors or libraries; `make results` adds these"


@pytest.mark.long
@pytest.mark.parametrize("name", RUNS)
def test_the_bits_are_those_of_the_results_version(name: str, tmp_path: Path) -> None:
    golden = Golden.read(ROOT)
    assert golden.results_version == RESULTS_VERSION, "run `make results`"
    known = golden.of(numerics_here())
    if known is None:
        pytest.skip(UNKNOWN)
    before, now = known.runs[name], digests(ROOT, name, tmp_path)
    numerics = known.numerics
    assert not list(differences(Kind(numerics, {name: before}), Kind(numerics, {name: now})))


@pytest.mark.long
def test_workers_that_are_programs_of_their_own_give_the_same_bits(tmp_path, monkeypatch):
    name = next(iter(RUNS))
    for way in ("forked", "fresh"):
        (tmp_path / way).mkdir()
    forked = digests(ROOT, name, tmp_path / "forked")
    monkeypatch.setenv(FRESH_VARIABLE, "1")
    fresh = digests(ROOT, name, tmp_path / "fresh")
    here = numerics_here()
    assert not list(differences(Kind(here, {name: forked}), Kind(here, {name: fresh})))


@pytest.mark.skipif(RESULTS_VERSION != "0.2.0", reason="later versions may give other bits")
def test_the_weights_and_scores_of_plain_data_are_those_of_0_1_0() -> None:
    first = json.loads(FIRST.read_text())
    known = Golden.read(ROOT).of(first["numerics"])
    assert known is not None
    for name, folds in first["runs"].items():
        assert known.runs[name]["folds"] == folds
