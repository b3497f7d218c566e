"""All curves of a run, from the tables of its predictions and its history."""

from collections.abc import Iterator

import pyarrow as pa

from foldproof.tasks.evaluation.curves.calibration import calibration_curves
from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.evaluation.curves.learning import learning_curves
from foldproof.tasks.evaluation.curves.ranking import ranking_curves
from foldproof.tasks.evaluation.curves.scored import Scored
from foldproof.tasks.evaluation.curves.threshold import threshold_curves


def all_curves(scored: Scored | None, history: pa.Table) -> Iterator[Curve]:
    """Yield every curve that the predictions and the history have.

    Args:
        scored: the predictions; None where they are of a form without curves.
        history: the table of that name.
    """
    if scored is not None:
        yield from ranking_curves(scored)
        yield from calibration_curves(scored)
        yield from threshold_curves(scored)
    yield from learning_curves(history)
