"""When the record may be renewed: the models give the same bits, or the version was raised."""

from dataclasses import replace

from tests.results.golden import FILE, Golden, Kind, differences
from tests.results.record import FILE as RECORD
from tests.results.record import NAME, VERSIONS, Record, wrong_version


class Unproved(Exception):
    """Nothing shows that results are what they were; the text says what to do."""


def check_provable(before: Record, now: Record, known: Kind | None) -> None:
    """Refuse where even equal bits would prove nothing.

    Args:
        before: the record as it is.
        now: as it would be.
        known: what the models gave on this kind of machine.

    Raises:
        Unproved: with what to do.
    """
    wrong = wrong_version(before, now)
    if wrong:
        raise Unproved(wrong)
    if known is None and now != before and not now.is_raised_from(before):
        raise Unproved(
            f"{FILE} holds nothing of this kind of processor with these libraries: run "
            f"`make results` here on the commit that wrote {RECORD} to add it, then on this one"
        )


def renewed(before: Record, now: Record, golden: Golden, found: Kind) -> Golden:
    """Return what is known of the models after they ran once more.

    Args:
        before: the record as it is.
        now: as it would be.
        golden: what the models gave before.
        found: what they gave now.

    Raises:
        Unproved: they gave something else, and the version is the same.
    """
    known = golden.of(found.numerics)
    check_provable(before, now, known)
    if now.is_raised_from(before):
        return Golden(now.results_version, (found,))
    if known is None:
        return replace(golden, kinds=(*golden.kinds, found))
    changed = list(differences(known, found))
    if not changed and known.report_version != found.report_version:
        return replace(golden, kinds=tuple(found if k is known else k for k in golden.kinds))
    if changed:
        remedy = f"raise {NAME} in {VERSIONS}, or give the earlier bits again"
        raise Unproved("\n  ".join([f"results changed; {remedy}:", *changed]))
    return golden
