"""Train one fold under every cause of an audit, each time in a fresh process."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foldproof.tasks.audit.causes import Cause, Conditions, all_causes
from foldproof.tasks.audit.processes import Environment, run_trials
from foldproof.tasks.audit.trial import Trial, TrialOutcome
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.run.session import Run
from foldproof.tasks.training.internals.tensorflow_internals import onednn_is_on

ORDERS_OF = ("reference", "seeded_fit")


class ReferenceFailed(RuntimeError):
    """The fold fails even as foldproof trains it; holds the error and its traceback."""

    def __init__(self, error: str, traceback: str) -> None:
        super().__init__(error)
        self.traceback = traceback


@dataclass(frozen=True)
class CauseOutcome:
    """A cause with the outcome of its trials.

    Attributes:
        cause: the cause.
        outcome: of its trials, or None where it does not apply to the model.
    """

    cause: Cause
    outcome: TrialOutcome | None


def choose_fold(run: Run, place: tuple[int, int]) -> FoldJob:
    """Return the job of a fold, to be trained by plain Keras, whose epochs can be watched.

    Raises:
        InputError: there is no such fold.
    """
    for job in run.jobs:
        if (job.repeat, job.fold) == place:
            plain = {"engine": "plain", "stream": "never"}
            return replace(job, train=job.train.model_copy(update=plain))
    last = run.jobs[-1]
    problem = f"no fold {place[0]}/{place[1]}; the last one is {last.repeat}/{last.fold}"
    raise InputError("--fold", problem)


def try_causes(run: Run, job: FoldJob) -> tuple[CauseOutcome, ...]:
    """Train the fold under every cause that applies, and return them in their order.

    Raises:
        ReferenceFailed: the fold fails as it is.
    """
    estimator = run.model_facts.kind == "estimator"
    causes = all_causes(job.numerics.threads, estimator or _onednn(run))
    applying = [cause for cause in causes if not (estimator and cause.not_for_estimators)]
    ended: dict[str, list[TrialOutcome]] = {cause.name: [] for cause in applying}
    folder = run.scratch / "audit"
    for trial, outcome in run_trials(run, _trials(applying, job, folder)):
        if trial.cause == "reference" and outcome.error is not None:
            raise ReferenceFailed(outcome.error, outcome.traceback)
        ended[trial.cause].append(outcome)
        _tell(run, ended, causes, trial)
    return tuple(
        CauseOutcome(cause, _together(ended[cause.name]) if cause.name in ended else None)
        for cause in causes
    )


def _onednn(run: Run) -> bool:
    """Ask a worker of the run for TensorFlow's default."""
    slot = run.slots.lease()
    try:
        return slot.run(onednn_is_on)
    finally:
        run.slots.give_back(slot)


def _trials(
    causes: Sequence[Cause], job: FoldJob, folder: Path
) -> Mapping[Environment, Sequence[Trial]]:
    """Return the trials by the environment that they need, that of most of them first."""
    found: dict[Environment, list[Trial]] = {}
    for number, (environment, trial) in enumerate(_each_trial(causes, job)):
        own = folder / str(number)
        own.mkdir(parents=True)
        found.setdefault(environment, []).append(replace(trial, folder=own))
    return found


def _each_trial(causes: Sequence[Cause], job: FoldJob) -> Iterator[tuple[Environment, Trial]]:
    for cause in causes:
        conditions = cause.conditions
        environment = Environment(conditions.threads, conditions.onednn)
        times = 1 if cause.name == "reference" else 2
        trial = Trial(
            cause=cause.name,
            way=cause.way,
            conditions=conditions,
            times=times,
            job=_under(conditions, job),
            orders=cause.name in ORDERS_OF and job.train.shuffle,
            folder=Path(),
        )
        yield environment, trial
        if times == 1:
            yield replace(environment, alone=True), replace(trial, orders=False)


def _under(conditions: Conditions, job: FoldJob) -> FoldJob:
    return replace(job, numerics=replace(job.numerics, threads=conditions.threads))


def _together(outcomes: Sequence[TrialOutcome]) -> TrialOutcome:
    """Return the trials of one cause as one."""
    fits = tuple(fit for outcome in outcomes for fit in outcome.fits)
    orders = tuple(order for outcome in outcomes for order in outcome.orders)
    return replace(outcomes[0], fits=fits, orders=orders)


def _tell(
    run: Run, ended: Mapping[str, Sequence[TrialOutcome]], causes: Sequence[Cause], trial: Trial
) -> None:
    whole = {"reference": 2}
    done = [name for name, outcomes in ended.items() if len(outcomes) == whole.get(name, 1)]
    if trial.cause in done:
        title = next(cause.title for cause in causes if cause.name == trial.cause)
        run.display.say(f"{len(done)} of {len(ended)}: {title}")
