"""Settings as Prefect may keep them: without who asks a database, and without its options."""

from foldproof.tasks.config.study import Study
from foldproof.tasks.data.sources.choose import recorded


def recorded_study(study: Study) -> Study:
    """Return a study as it may be stored; the run in hand has all of it."""
    known = recorded(study.data.source)
    if known == study.data.source:
        return study
    return study.model_copy(update={"data": study.data.model_copy(update={"source": known})})
