"""Templates of pages: what they are given is text, and what they miss is an error."""

import pytest
from jinja2 import UndefinedError

from foldproof.tasks.report.page_template import fill_template
from tests.support.pages import Page

KEY = {
    "data": {"sha256": "d" * 64},
    "split": {"sha256": "e" * 64},
    "foldproof": "0",
    "numerics": {"libraries": {"keras": "3"}, "device": "cpu", "threads": 1},
}
HEAD = {"title": "<i>t</i>", "heading": "<b>h</b>", "subtitle": "a & b"}


def test_what_a_page_is_given_is_shown_as_text():
    page = Page(fill_template("foldproof.tasks.report", "base.html.j2", KEY, **HEAD))
    assert "<i>t</i>" in page.text
    assert "<b>h</b>" in page.text
    assert "a & b" in page.text


def test_a_page_ends_with_what_its_numbers_follow_from():
    text = Page(fill_template("foldproof.tasks.report", "base.html.j2", KEY, **HEAD)).text
    assert f"sha256 {'d' * 64}" in text
    assert "keras 3" in text
    own = fill_template("foldproof.tasks.report", "base.html.j2", KEY, **HEAD, origin={"own": "1"})
    assert "keras 3" not in own


def test_a_value_that_a_template_misses_is_an_error():
    with pytest.raises(UndefinedError):
        fill_template("foldproof.tasks.report", "base.html.j2", KEY, title="only")


@pytest.mark.parametrize("package", ["comparison", "audit"])
def test_each_package_has_its_own_page_on_the_same_frame(package):
    with pytest.raises(UndefinedError):
        fill_template(f"foldproof.tasks.{package}", f"{package}.html.j2", KEY, **HEAD)
