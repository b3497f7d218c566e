"""The names of `argparse` that are private, each behind a plain one.

Read from CPython 3.11.7; `test_argparse_internals` fails when one of them changes. Only a hint
depends on them.
"""

import argparse

READ_FROM = "3.11.7"


def flags_of(parser: argparse.ArgumentParser) -> list[str]:
    """Return every flag that a parser knows, such as `--config`; none if that cannot be told."""
    return list(getattr(parser, "_option_string_actions", ()))
