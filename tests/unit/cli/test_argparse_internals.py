"""What is used of `argparse` beyond its documented API is still there."""

import argparse
import platform
from typing import Any

from foldproof.tasks.cli import argparse_internals as internals


def test_a_parser_lists_its_flags():
    parser = argparse.ArgumentParser()
    parser.add_argument_group("group").add_argument("--one")
    assert hasattr(parser, "_option_string_actions"), (
        f"Python {platform.python_version()} has no ArgumentParser._option_string_actions; "
        f"{internals.__name__} was read from {internals.READ_FROM}: read it again"
    )
    assert internals.flags_of(parser) == ["-h", "--help", "--one"]


def test_where_it_does_not_there_are_no_hints():
    other: Any = object()
    assert internals.flags_of(other) == []
