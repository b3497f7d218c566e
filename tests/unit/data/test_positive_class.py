"""The words for the positive class, and the flag that chooses a label."""

import shlex
import unicodedata

import numpy as np
import pytest

from foldproof.tasks.cli.arguments import read_request
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.positive_class import is_positive_word, positive_flag
from foldproof.tasks.data.target import resolve_target

AWKWARD = (
    "case",
    "no disease",
    "it's",
    "",
    "null",
    "true",
    "1e3",
    "1.0",
    "-x",
    "[1]",
    '"a"',
    "ä b",
)


@pytest.mark.parametrize(
    "label",
    ["malignant", "Case", "YES", "True", "1", 1, "positive", "Ja", "sí", "SÌ", "oui", "krank"],
)
def test_words_of_several_languages_are_known(label):
    assert is_positive_word(label)


@pytest.mark.parametrize("label", ["benign", "control", "no", "False", 0, "healthy", "nein", "a"])
def test_other_words_are_not(label):
    assert not is_positive_word(label)


def test_a_word_is_known_in_each_unicode_form_and_case():
    for form in ("NFC", "NFD"):
        assert is_positive_word(unicodedata.normalize(form, "BÖSARTIG"))
    assert is_positive_word(" malade ")


@pytest.mark.parametrize("label", [text for text in AWKWARD if text] + ["a\nb", "tab\t", "NaN"])
def test_the_flag_chooses_the_label_when_it_is_pasted(label):
    flags = shlex.split(positive_flag(label))
    spec = read_request(flags).study.data
    target = resolve_target(np.array([label, "zz", "zz"], dtype=object), spec)
    assert target.positive == label
    assert "\n" not in positive_flag(label)


def test_the_flag_of_a_number_is_the_number():
    assert positive_flag(0) == "--data.positive 0"
    spec = read_request(shlex.split(positive_flag(-1))).study.data
    assert resolve_target(np.array([-1, 1, 1]), spec).positive == -1


def test_text_that_looks_like_a_number_can_be_chosen():
    values = np.array(["1.0", "2.0", "2.0"], dtype=object)
    assert resolve_target(values, DataSpec(positive=1.0)).positive == "1.0"
