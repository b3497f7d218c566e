"""What one more fold costs in warm processes, what Prefect adds, and that results agree."""

from dataclasses import replace
from typing import Any

from tests.bench.cases import CNN, MLP, Case
from tests.bench.findings import Agreement, Findings, Row, faster, seconds
from tests.bench.processes import THREADS, Measured, script

GOALS = {MLP.name: 25.0, CNN.name: 6.0}
COMPARED = 3  # folds that are trained in several ways
CLOSE = 1e-6
PREFECT_FOLD, PREFECT_RUN = 0.015, 2.0  # seconds


def measure(case: Case, findings: Findings, server: dict[str, str], repeats: int) -> Measured:
    """Measure a small case and return the naive loop's process, for other rows."""
    naive = script("naive_loop", case)
    peers = {"naive loop": naive.found}
    for jobs in (1, 2):
        peers[f"SciKeras, n_jobs {jobs}"] = script("scikeras_loop", case, jobs).found
    ours = script("our_runs", case, repeats, **server).found
    best = min(peers, key=lambda name: peers[name]["later"])
    work = f"one more fold, {case.name}"
    goal = GOALS[case.name]
    findings.rows.append(faster(work, ours["flow"][2], peers[best]["later"], best, goal))
    findings.rows.append(_cost_of_prefect(case, ours))
    findings.agreements += [_same_weights(case, ours), _same_auc(case, ours["auc"])]
    findings.notes += _notes(case, ours, peers)
    return naive


def _cost_of_prefect(case: Case, ours: dict[str, Any]) -> Row:
    """Compare runs of the same folds, data to report, through Prefect and by plain calls."""
    (short, long, later), (short_plain, long_plain, later_plain) = ours["flow"], ours["direct"]
    per_fold = later - later_plain
    cost, allowed = long - long_plain, PREFECT_RUN + PREFECT_FOLD * ours["folds"]
    return Row(
        f"cost of Prefect, {case.name}, {ours['folds']} folds",
        f"{seconds(long)} with",
        f"{seconds(long_plain)} without",
        f"{1000 * per_fold:.0f} ms a fold, {short - short_plain:.1f} s a run of 10",
        f"at most {seconds(allowed)} more: 15 ms a fold + 2 s",
        cost <= allowed,
    )


def _same_weights(case: Case, ours: dict[str, Any]) -> Agreement:
    plain, compiled = ours["weights"]["plain"], ours["weights"]["compiled"]
    equal = sum(one == other for one, other in zip(plain, compiled, strict=True))
    what = f"{case.name}: bits of the weights, engines plain and compiled"
    return Agreement(
        what, None not in plain and plain == compiled, f"{equal} of {len(plain)} folds"
    )


def _same_auc(case: Case, ours: list[float]) -> Agreement:
    """Compare with a loop that has nothing of ours but the model and the order of batches."""
    one_thread = dict.fromkeys(THREADS[:3], "1")
    few = replace(case, folds=COMPARED)
    reference = script("contract_loop", few, **one_thread).found["auc"]
    largest = max(abs(a - b) for a, b in zip(ours, reference, strict=False))
    what = f"{case.name}: AUC of {COMPARED} folds, ours and a train_on_batch loop"
    return Agreement(what, largest <= CLOSE, f"largest difference {largest:.1e}")


def _notes(case: Case, ours: dict[str, Any], peers: dict[str, dict[str, Any]]) -> list[str]:
    mean = sum(ours["auc"]) / len(ours["auc"])
    lines = [f"{case.name}: ours {seconds(ours['flow'][2])} a fold, mean AUC {mean:.4f}"]
    for name, found in peers.items():
        text = f"{seconds(found['later'])} a fold, {seconds(found['all'])} for 10, mean AUC"
        lines.append(f"{case.name}: {name} {text} {found['auc']:.4f} (shuffles otherwise)")
    return lines
