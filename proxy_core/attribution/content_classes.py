"""What a text is made of, roughly: the classes by which a tokenizer's prices differ.

One look at a sample, microseconds a text; used where a tokenizer is not known and its ratios must be learnt.
"""

from enum import StrEnum

_SAMPLE_CHARS = 1500
_MARKS = "{}[]()<>=;:\"'\\/_|*#$&+-"
_MARKS_TABLE = str.maketrans("", "", _MARKS)


class ContentClass(StrEnum):
    """The classes, coarse on purpose: each needs samples of its own."""

    PROSE = "prose"
    CODE = "code"
    JSON = "json"
    DIGITS = "digits"
    """Logs, tables, hashes: a fifth or more are digits."""
    WIDE = "wide"
    """Chinese, Japanese, Korean."""
    OTHER_SCRIPT = "other_script"
    """Alphabets beyond ASCII."""


O200K_RATIOS = {
    ContentClass.PROSE: 1.55,
    ContentClass.CODE: 1.44,
    ContentClass.JSON: 1.50,
    ContentClass.DIGITS: 1.25,
    ContentClass.WIDE: 1.35,
    ContentClass.OTHER_SCRIPT: 1.70,
}
"""Claude tokens (4.7 and later) for one o200k token: medians of 2,000 recorded documents, 2026-11."""


_MAX_REMEMBERED = 100_000
_remembered: dict[str, ContentClass] = {}


def class_of_content(content_hash: str, text: str) -> ContentClass:
    """Name the class of a content seen again and again: looked at once."""
    found = _remembered.get(content_hash)
    if found is None:
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        found = _remembered[content_hash] = class_of(text)
    return found


def class_of(text: str) -> ContentClass:
    """Name the class of a text from samples of its start and its middle."""
    middle = len(text) // 2
    sample = (
        text[:_SAMPLE_CHARS] if len(text) <= 2 * _SAMPLE_CHARS else text[:_SAMPLE_CHARS] + text[middle : middle + _SAMPLE_CHARS]
    )
    if not sample:
        return ContentClass.PROSE
    if not sample.isascii() and (foreign := _foreign_class(sample)):
        return foreign
    size = len(sample)
    if sum(map(sample.count, "0123456789")) * 5 > size:
        return ContentClass.DIGITS
    marks = size - len(sample.translate(_MARKS_TABLE))
    if sample.count('"') * 25 > size and sample.lstrip()[:1] in ("{", "["):
        return ContentClass.JSON
    return ContentClass.CODE if marks * 12 > size else ContentClass.PROSE


def _foreign_class(sample: str) -> ContentClass | None:
    wide = sum("\u3000" <= char <= "\ud7ff" or "\uf900" <= char <= "\ufaff" or "\uff00" <= char <= "\uffef" for char in sample)
    if wide * 4 > len(sample):
        return ContentClass.WIDE
    other = sum(char > "\u024f" and not "\u2000" <= char <= "\u2bff" for char in sample)
    return ContentClass.OTHER_SCRIPT if other * 4 > len(sample) else None
