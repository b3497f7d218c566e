"""Recognise usual words for the positive class, and write the flag that selects a label."""

import json
import shlex
import unicodedata

from foldproof.tasks.data.target import Label

# What the positive class is commonly called, by language. A word decides only whether a
# person is warned: the larger label is the default whatever it is called.
BY_LANGUAGE = {
    "any": "1 + pos",
    "English": "yes y true t positive case disease diseased malignant cancer tumor tumour sick ill "
    "patient affected infected abnormal present event died dead deceased fraud spam churn",
    "German": "ja wahr positiv krank erkrankt bösartig maligne fall betroffen infiziert tot "
    "verstorben",
    "French": "oui vrai positif malade maladie malin maligne cas atteint infecté mort décédé",
    "Spanish": "sí si verdadero positivo positiva enfermo enferma enfermedad maligno maligna caso",
    "Italian": "sì si vero positivo positiva malato malata malattia maligno maligna caso",
    "Portuguese": "sim verdadeiro positivo positiva doente doença maligno maligna caso",
    "Dutch": "ja waar positief ziek kwaadaardig geval",
    "Danish, Norwegian, Swedish": "ja sand sann sant positiv syg syk sjuk ondartet elakartad",
    "Polish": "tak prawda pozytywny dodatni chory chora złośliwy przypadek",
    "Russian": "да истина положительный болен больной злокачественный",
    "Turkish": "evet doğru pozitif hasta",
    "Chinese": "是 真 阳性 陽性 恶性 惡性 患者 病例",
    "Japanese": "はい 陽性 悪性 患者",
}


def _plain(text: str) -> str:
    """Return a word as it is compared: without case, and in one Unicode form."""
    return unicodedata.normalize("NFC", text.strip().casefold())


WORDS = frozenset(_plain(word) for words in BY_LANGUAGE.values() for word in words.split())


def is_positive_word(label: Label) -> bool:
    """Return whether a label is a word that people use for the positive class."""
    return _plain(str(label)) in WORDS


def positive_flag(label: Label) -> str:
    """Return what to type for a label to be the positive one, safe to paste into a shell."""
    text = str(label)
    if isinstance(label, str) and (_is_other_json(text) or not text.isprintable()):
        text = json.dumps(text)  # else it would be read as a number, null, ...
    quoted = shlex.quote(text)
    is_like_a_flag = text.startswith("-") and isinstance(label, str)
    return f"--data.positive={quoted}" if is_like_a_flag else f"--data.positive {quoted}"


def _is_other_json(text: str) -> bool:
    """Return whether the command line would take a text for another value than itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return not isinstance(value, int) or str(value) != text
