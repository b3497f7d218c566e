"""Say clearly what of a dependency's private names has changed."""

from importlib.metadata import version


def missing(owner: object, *names: str) -> list[str]:
    """Return the names that an object does not have."""
    label = getattr(owner, "__qualname__", getattr(owner, "__name__", type(owner).__name__))
    return [f"{label}.{name}" for name in names if not hasattr(owner, name)]


def demand(distribution: str, read_from: str, gone: list[str], module: str) -> None:
    """Fail with the version at hand, that of the last reading, and what is not there any more."""
    assert not gone, (
        f"{distribution} {version(distribution)} has no {', '.join(gone)}; "
        f"{module} was read from {read_from}: read it again"
    )
