"""Run an audit: from its settings to its folder and its text for the terminal."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foldproof.tasks.audit.comparisons import FoldScorer, compare_all
from foldproof.tasks.audit.folder import write_audit
from foldproof.tasks.audit.runner import ReferenceFailed, choose_fold, try_causes
from foldproof.tasks.audit.table import Comparison, judge
from foldproof.tasks.audit.terminal import audit_text
from foldproof.tasks.common.exit_codes import DONE, FAILED
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.target_facts import named_positive
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.preflight import refuse_elsewhere
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display, Verbosity

Place = tuple[int, int]


def run_audit(study: Study, place: Place, verbosity: Verbosity) -> int:
    """Audit a model and return the exit code.

    Args:
        study: the settings.
        place: (repeat, fold) of the fold to train.
        verbosity: how much to show.

    Raises:
        InputError: something about the input is wrong; nothing was trained.
    """
    refuse_elsewhere(study, "audit.py")
    with launched(Run(study, Display(verbosity))) as run:
        return _audit(run, place)


def _audit(run: Run, place: Place) -> int:
    run.check()
    job = choose_fold(run, place)
    run.display.release()
    run.display.status("training one fold under each cause")
    try:
        tried = try_causes(run, job)
    except ReferenceFailed as failure:
        print(f"fold {place[0]}/{place[1]} failed: {failure}", file=sys.stderr)
        print(failure.traceback.rstrip(), file=sys.stderr)
        return FAILED
    scorer = FoldScorer(run.dataset, np.load(job.test_path), run.metrics[0])
    rows = compare_all(scorer, job, tried)
    folder = _folder(run, place)
    subtitle = _subtitle(run, job, rows)
    write_audit(rows, subtitle, run.key, folder)
    _show(run, rows, subtitle, folder)
    return DONE if judge(rows).reproducible else FAILED


def _show(run: Run, rows: Sequence[Comparison], subtitle: str, folder: Path) -> None:
    run.display.stop()
    if run.display.quiet:
        print(folder)
        return
    for notice in run.notices:
        print(f"note: {notice}", file=sys.stderr)
    print(audit_text(rows, subtitle))
    print(f"\naudit: {folder}")


def _folder(run: Run, place: Place) -> Path:
    """Return the audit's folder; folds other than the first have folders of their own."""
    name = run_id(run.key)
    return run.out / "audits" / (name if place == (0, 0) else f"{name}-{place[0]}-{place[1]}")


def _subtitle(run: Run, job: FoldJob, rows: Sequence[Comparison]) -> str:
    fold = next(f for f in run.plan.folds if (f.repeat, f.fold) == (job.repeat, job.fold))
    size = f"{fold.n_train} training rows, {fold.n_test} test rows"
    epochs = f", {job.train.epochs} epochs" if rows[0].weights_sha256 else ""
    named = named_positive(run.dataset.facts)
    metric = f"metric {rows[0].metric}" + (f", positive {named}" if named else "")
    return f"{rows[0].model}, fold {job.repeat}/{job.fold}: {size}{epochs}; {metric}"
