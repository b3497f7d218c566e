"""Choose the kind of source that takes an address; what none takes is refused.

A kind is a module of `kinds` that declares a SOURCE: `declaration.py` says what is in it.
"""

from functools import cache

from foldproof.tasks.common.declared import declared
from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.addresses import FILE_SCHEMES, is_of_a_file, is_uri
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.local_files import digest_of_bytes, refuse_unreadable


def find_source(address: str) -> Source | None:
    """Return the kind of source that an address is of, or None where none takes it."""
    return next((source for source in sources() if source.takes(address)), None)


def source_of(address: str) -> Source:
    """Return the kind of source that an address is of; where it is a path, it can be read.

    Raises:
        InputError: nothing is there, or no kind takes it; with all that is read.
    """
    found = find_source(address)
    if not is_uri(address) and (found is None or found.place == "file"):
        refuse_unreadable(address, [name for source in sources() for name in source.names])
    if found is None:
        raise InputError("data.source", f"{_problem(address)}; give {_all_kinds()}")
    return found


def is_opened(address: str) -> bool:
    """Tell whether data would be opened or asked for, by the address alone.

    What comes with a package or is in memory already is known by its name.
    """
    return not any(not source.is_opened and source.takes(address) for source in sources())


def shown(address: str) -> str:
    """Return what people see of an address; nothing where it says nothing to them."""
    source = find_source(address)
    return address if source is None else source.shown(address)


def recorded(address: str) -> str:
    """Return what may be kept of an address where others read it."""
    source = find_source(address)
    return address if source is None else source.recorded(address)


def places(spec: DataSpec) -> tuple[str, ...]:
    """Return every path and URI that would be opened or asked for, by the settings alone."""
    source = find_source(spec.source)
    if source is None:
        return (spec.source,)
    return (source.location(spec.source), *source.also(spec)) if source.is_opened else ()


def has_images(spec: DataSpec) -> bool:
    """Return whether the samples are images, by the settings alone."""
    source = find_source(spec.source)
    return spec.images.column is not None or (source is not None and source.is_of_images)


def content_digest(spec: DataSpec) -> str | None:
    """Return a digest of all that is read; None where that cannot be told before."""
    source = find_source(spec.source)
    if source is None or is_uri(spec.source) or spec.images.column is not None:
        return None
    if source.place == "package":
        return digest_json(["bundled", spec.source])
    if source.place != "file":
        return None
    digests = [digest_of_bytes(path) for path in (spec.source, *source.also(spec))]
    if None in digests or len(digests) == 1:
        return None if None in digests else digests[0]
    return digest_json(digests)


@cache
def sources() -> list[Source]:
    """Return all kinds, in the order in which they are asked."""
    found: list[Source] = declared(f"{__package__}.kinds", "SOURCE")
    return sorted(found, key=lambda source: -source.precedence)


def _problem(address: str) -> str:
    if is_of_a_file(address):
        return f"{address.rpartition('/')[2]!r} is of an unknown kind"
    known = ", ".join(f"{scheme}://" for scheme in FILE_SCHEMES)
    return f"{address!r} begins with none of {known}"


def _all_kinds() -> str:
    *kinds, last = (source.written for source in sources() if source.written)
    return f"{', '.join(kinds)}, or {last}"
