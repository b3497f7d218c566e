"""What is kept for the next call of this process, and when it ends."""

from functools import partial

from foldproof.tasks.common.process import kept
from tests.support.processes import wait_for


def test_what_is_kept_is_taken_once_and_not_stopped():
    ended: list[str] = []
    kept.keep("key", "thing", lambda: ended.append("thing"))
    assert kept.take("key") == "thing"
    assert kept.take("key") is None
    assert ended == []


def test_of_two_under_one_key_the_later_is_kept_and_the_other_ends():
    ended: list[str] = []
    for name in ("first", "second"):
        kept.keep("key", name, partial(ended.append, name))
    assert ended == ["first"]
    kept.shutdown()
    assert ended == ["first", "second"]
    assert kept.take("key") is None


def test_what_nobody_takes_ends_by_itself(monkeypatch):
    monkeypatch.setattr(kept, "IDLE_TIMEOUT_S", 0.05)
    ended: list[str] = []
    kept.keep("key", "thing", lambda: ended.append("thing"))
    wait_for(lambda: ended == ["thing"])
    assert kept.take("key") is None


def test_an_environment_is_another_one_by_any_variable_but_those_that_imports_set(monkeypatch):
    before = kept.environment()
    monkeypatch.setenv("KMP_INIT_AT_FORK", "other")
    assert kept.environment() == before
    monkeypatch.setenv("SOMETHING_OF_TODAY", "1")
    assert kept.environment() != before
