"""PostgreSQL: a query's rows, in one transaction that only reads; who asks is in PGUSER and kin."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.raw_table import RawData
from foldproof.tasks.data.sources.sql.rows import check_query, raw_data, wrapped

SCHEMES = ("postgresql", "postgres")
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
CONNECT_TIMEOUT_S = 30.0

Rows = tuple[list[str], Sequence[Sequence[Any]]]


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower().partition("+")[0]  # a driver's name says nothing


def _takes(address: str) -> bool:
    return "://" in address and _scheme(address) in SCHEMES


def _parts(address: str) -> SplitResult:
    """Return the parts of an address.

    Raises:
        InputError: it is none, or has an option that could lead elsewhere.
    """
    try:
        parts = urlsplit(f"postgresql://{address.partition('://')[2]}")
        _ = parts.port
    except ValueError as error:
        problem = f"is no address ({first_line(error)}); write postgresql://HOST:PORT/NAME"
        raise InputError("data.source", problem) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options.keys() - {"sslmode"} or options.get("sslmode", "prefer") not in MODES:
        remedy = "only ?sslmode=require and the like are taken; set the others as PG... variables"
        raise InputError("data.source", f"has unknown options; {remedy}")
    return parts


def recorded(address: str) -> str:
    """Return an address without user and options."""
    rest = address.partition("://")[2].partition("?")[0].partition("#")[0]
    return f"postgresql://{rest.rpartition('@')[2]}"


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    with ThreadPoolExecutor(1) as beside:  # this thread may have an event loop of its own
        names, rows = beside.submit(asyncio.run, _ask(spec)).result()
    return raw_data(names, rows, spec, fold_column, recorded(spec.source))


async def _ask(spec: DataSpec) -> Rows:
    """Return the names and rows of the query's answer.

    Raises:
        InputError: the server does not answer, or refuses.
    """
    import asyncpg

    parts = _parts(spec.source)
    given = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "database": unquote(parts.path.lstrip("/")) or None,
        "ssl": dict(parse_qsl(parts.query)).get("sslmode"),
    }
    try:
        server = await asyncpg.connect(**given, timeout=CONNECT_TIMEOUT_S)
    except asyncpg.InvalidAuthorizationSpecificationError:  # whose text names the user
        problem = f"{recorded(spec.source)} refuses the user or password"
        raise InputError("data.source", f"{problem}; set PGUSER and PGPASSWORD") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        reason = _said(error, given["user"]) or "no answer"
        problem = f"cannot connect to {recorded(spec.source)}: {reason}"
        raise InputError("data.source", f"{problem}; check host, port and name") from None
    try:
        async with server.transaction(isolation="repeatable_read", readonly=True):
            statement = await server.prepare(wrapped(str(spec.query)))
            names = [attribute.name for attribute in statement.get_attributes()]
            return names, await statement.fetch()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        problem = f"{_said(error, given['user'])}; give a select that the server answers"
        raise InputError("data.query", problem) from None
    finally:
        await server.close()


def _said(error: Exception, user: Any) -> str:
    """Return what the server said, without the name of who asked."""
    asking = user or os.environ.get("PGUSER")
    return first_line(error).replace(f'"{asking}"', "that user")


def _check(spec: DataSpec) -> None:
    _parts(spec.source)
    check_query(spec)


SOURCE = Source(
    "postgresql://HOST/NAME",
    takes=_takes,
    read=_read,
    place="service",
    settings=("query",),
    shown=recorded,
    recorded=recorded,
    location=recorded,
    check=_check,
)
