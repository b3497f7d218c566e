"""Detect the encoding of a CSV file without a byte order mark."""

import codecs
import re

from foldproof.tasks.common.errors import InputError

BOMS = (  # UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

UTF_16 = ("utf-16-le", "utf-16-be")


def encoding_of(sample: bytes, found: dict[str, str], name: str) -> str:
    """Return the encoding of a file that does not say it, at least not as UTF-8.

    Raises:
        InputError: it is UTF-8 with errors.
    """
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            found["encoding"] = f"encoding {encoding}"
            return encoding
    if sample.count(0) > len(sample) // 4:  # half of UTF-16's bytes, where most is plain
        first_is_zero = sample[::2].count(0) > sample[1::2].count(0)
        found["encoding"] = f"encoding {(encoding := UTF_16[first_is_zero])}"
        return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError as error:
        _refuse_damaged(sample, name)
        encoding = _legacy(sample)
        near = sample[max(0, error.start - 40) : error.start + 40].decode(encoding, "replace")
        words = [word for word in re.findall(r"\w+", near) if not word.isascii()]
        found["encoding"] = f"encoding {encoding}" + (f" ({words[0]!r})" if words else "")
        return encoding
    return "utf-8"


def _refuse_damaged(sample: bytes, name: str) -> None:
    """Refuse UTF-8 with errors; read as anything else, most letters would be others.

    Raises:
        InputError: it is.
    """
    letters = [c for c in sample.decode("utf-8", "replace") if not c.isascii()]
    wrong = letters.count("\ufffd")
    if len(letters) > 2 * wrong:
        problem = f"{name} is UTF-8 but for {wrong} bytes; correct them, or set it to cp1252"
        raise InputError("data.csv.encoding", problem)


def _legacy(sample: bytes) -> str:
    """Return what text that is not UTF-8 is taken for: cp1252, which has five gaps, or Latin-1."""
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", sample) else "cp1252"
