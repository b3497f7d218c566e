"""Whatever a text holds, a Markdown page shows it and nothing else."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from foldproof.tasks.common.text import one_line
from foldproof.tasks.prefect_ui.markdown import escape

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil/x.png)",
    "<http://evil>",
    "https://evil.example www.evil.example a@evil.example",
    "a | b || c",
    "`code` ``x`` ```",
    "**bold** _it_ ~~gone~~",
    "# heading",
    "1. list",
    "- list",
    "> quote",
    "a\n\nb\n---\n| c |\n|---|",
    "    indented",
    "&lt;b&gt; &#60;",
    "\\` \\<b> \\\\",
    "[ref]: http://evil",
    "$x$ <!-- hidden -->",
    "a<br>b",
]


class Shown(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    check(text)


@given(st.text(alphabet=st.sampled_from("ab1 <>|`*_[]()!#-.&;:/\\\n~$@"), max_size=12))
@settings(deadline=None, max_examples=300, database=None, derandomize=True)
@example("")
def test_any_text_is_only_text(text: str) -> None:
    check(text)


def check(text: str) -> None:
    in_table = Shown(READER.render(f"| a | b |\n|---|---|\n| x{escape(text)} | end |\n"))
    cells = ["thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert in_table.tags == ["table", *cells]
    assert in_table.text.split() == ["a", "b", *f"x{one_line(text)}".split(), "end"]
    alone = Shown(READER.render(escape(text)))
    assert set(alone.tags) <= {"p"}
    assert alone.text.strip() == one_line(text)
