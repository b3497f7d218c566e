"""What a kind of source says of itself, in the module that reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.raw_table import RawData


def _itself(address: str) -> str:
    return address


def _nothing_more(spec: DataSpec) -> tuple[str, ...]:
    return ()


def _anything(spec: DataSpec) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class Source:
    """A kind of source, declared by its module as SOURCE.

    Attributes:
        written: how an address of it looks, for people, such as "an .npz file"; empty where
            nobody types one.
        takes: tells whether an address is one of this kind, by its text as far as that goes.
        read: reads the samples; the second argument is the column of a predefined split, or
            None. What cannot be read is an InputError.
        place: where the bytes are. A `file` lies at a path or URI, is looked for before
            anything is loaded and known again by its bytes. A `service` is asked for them. Both
            need to be allowed in a deployment, and to be named by who verifies a report. In
            `memory` they are this process's own, and with a `package` they were installed.
        settings: the sections of `data` that say how it is read; elsewhere they are refused.
        names: all its addresses, if they can be listed.
        shown: what people see of an address; nothing where it says nothing to them.
        recorded: what reports, logs and Prefect may keep of an address: no user, no options.
        location: the path or URI that has to be allowed for it.
        also: the other paths or URIs that are read with it, as far as settings tell.
        check: refuses what is wrong with the settings before anything is loaded.
        precedence: the larger is asked first whether it takes an address.
        is_of_images: its samples are images, whatever the settings.
    """

    written: str
    takes: Callable[[str], bool]
    read: Callable[[DataSpec, str | None], RawData]
    place: Literal["file", "service", "memory", "package"] = "file"
    settings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    shown: Callable[[str], str] = _itself
    recorded: Callable[[str], str] = _itself
    location: Callable[[str], str] = _itself
    also: Callable[[DataSpec], tuple[str, ...]] = _nothing_more
    check: Callable[[DataSpec], None] = _anything
    precedence: int = 0
    is_of_images: bool = False

    @property
    def is_opened(self) -> bool:
        """Whether something is opened or asked that another person may have named."""
        return self.place in ("file", "service")
