"""Words, values and errors are written in one line, cut off where they are long."""

import pytest

from foldproof.tasks.common.text import shortened, some_and_count, some_of

WORDS = ["a", "b", "c"]


def test_the_first_words_are_listed_and_the_others_are_hinted_at_or_counted() -> None:
    assert some_of(WORDS, 2) == "a, b, ..."
    assert some_and_count(WORDS, 2) == "a, b and 1 more"
    assert some_of(WORDS, 3) == some_and_count(WORDS, 3) == "a, b, c"
    assert some_of([], 3) == some_and_count([], 3) == ""


@pytest.mark.parametrize(("text", "shown"), [("abcdef", "abcdef"), ("abcdefg", "abc..."), ("", "")])
def test_what_is_longer_than_allowed_ends_in_dots(text: str, shown: str) -> None:
    assert shortened(text, 6) == shown
