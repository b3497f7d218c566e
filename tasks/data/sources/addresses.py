"""What the text of an address says: whether it is that of a file, and how its name ends."""

from foldproof.tasks.config.study import STORES

FILE_SCHEMES = ("file", *STORES, "viewfs")  # of URIs that lead to files


def is_uri(address: str) -> bool:
    """Return whether an address is a URI rather than a path."""
    return "://" in address


def scheme_of(address: str) -> str:
    """Return the scheme of a URI in small letters; of a path, nothing."""
    return address.partition("://")[0].lower() if is_uri(address) else ""


def path_of(address: str) -> str:
    """Return an address without the options that may follow a URI, such as ?region=eu."""
    return address.partition("?")[0] if is_uri(address) else address


def is_of_a_file(address: str) -> bool:
    """Return whether an address is a path, or a URI of a scheme for files."""
    return not is_uri(address) or scheme_of(address) in FILE_SCHEMES


def ends_in(address: str, endings: tuple[str, ...]) -> bool:
    """Return whether an address is that of a file whose name ends so, in any case."""
    return is_of_a_file(address) and path_of(address).lower().endswith(endings)
