import pytest

from foldproof.tasks.cli.warm.request import FLAG, idle_seconds, wished_s
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.process.kept import WISH


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("10m", 600), ("1h", 3600), (" 2 h ", 7200)]
)
def test_times_are_read_as_people_write_them(text, seconds):
    assert idle_seconds(FLAG, text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "-5m", "1.5h", "10 min", "1d", "\u0661m", "8" * 99])
def test_other_times_are_refused(text):
    with pytest.raises(InputError, match="is no time; write 90s, 10m or 1h"):
        idle_seconds(FLAG, text)


def test_the_last_flag_counts_over_the_variable(monkeypatch):
    assert wished_s(["--seed", "1"]) is None
    monkeypatch.setenv(WISH, "5m")
    assert wished_s([]) == 300
    assert wished_s([FLAG, "1m", f"{FLAG}=2m"]) == 120
    assert wished_s([f"{FLAG}=2m", FLAG, "1m", "--seed", "1"]) == 60
    assert wished_s(["--help"]) is None
    monkeypatch.setenv(WISH, "0")
    assert wished_s([]) is None


def test_a_wrong_variable_is_named(monkeypatch):
    monkeypatch.setenv(WISH, "yes")
    with pytest.raises(InputError, match=f"{WISH}: 'yes' is no time"):
        wished_s([])


def test_a_flag_without_its_time_is_left_to_the_parser():
    assert wished_s(["--seed", "1", FLAG]) is None
