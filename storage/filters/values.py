"""Read the values of a filter: figures with units, moments, choices. Says what is wrong in words, never by an exception."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from storage.filters.fields import NUMERIC, Field, Kind
from storage.filters.tree import (
    ChoiceTest,
    Comparison,
    FlagTest,
    NumberTest,
    RangeTest,
    Test,
    TextTest,
    TimeTest,
    UnknownTest,
)


@dataclass(frozen=True, slots=True)
class BadValue:
    """Why a value was not understood."""

    message: str
    hint: str | None = None


_COMPARISON = re.compile(r"(<=|>=|<|>|==?|≤|≥)?(.*)", re.DOTALL)
_SIGNS = {"==": "=", "≤": "<=", "≥": ">="}
_FIGURE = re.compile(r"\$?([+-]?(?:\d[\d_]*)?(?:\.\d+)?)\s*([A-Za-zµ%]*)", re.ASCII)
_STATUS_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_SCALES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_DURATIONS_MS = {
    "": 1.0,
    "us": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 6e4,
    "min": 6e4,
    "h": 3.6e6,
    "d": 8.64e7,
    "w": 6.048e8,
}
_UNITS: dict[Kind, dict[str, float]] = {
    Kind.COUNT: _SCALES,
    Kind.USD: {"": 1.0, "c": 0.01, "usd": 1.0},
    Kind.PERCENT: {"": 1.0, "%": 1.0},
    Kind.RATING: {"": 1.0},
    Kind.DURATION: _DURATIONS_MS,
    Kind.BYTES: {
        "": 1.0,
        "b": 1.0,
        "k": 1e3,
        "kb": 1e3,
        "m": 1e6,
        "mb": 1e6,
        "g": 1e9,
        "gb": 1e9,
        "kib": 1024.0,
        "mib": 1048576.0,
    },
    Kind.STATUS: {"": 1.0},
}
_YES = frozenset({"yes", "true", "on", "1", "y"})
_NO = frozenset({"no", "false", "off", "0", "n"})
_DAY_US = 86_400_000_000
_LIMIT = 9e15
"""Largest figure accepted: whole numbers are exact below it, and every column holds it."""


def read_value(field: Field, text: str, *, is_quoted: bool = False) -> Test | BadValue:
    """Read one value of a field.

    Args:
        field: which field it is for.
        text: the value, quotes already taken off.
        is_quoted: it stood in quotes, so `none`, `=` and the like are meant literally.
    """
    if not text:
        return BadValue(f"`{field.name}:` needs a value", f"for example {field.example}")
    if not is_quoted and text.lower() == "none" and field.kind is not Kind.TIME:
        return BadValue(f"`{field.name}` is always known") if field.is_always_known else UnknownTest()
    if field.kind in NUMERIC:
        return _read_comparison(field, text)
    if field.kind in {Kind.TEXT, Kind.PREFIX} and is_quoted:
        return TextTest(text)
    return _READERS[field.kind](field, text)


def _read_text(field: Field, text: str) -> Test | BadValue:
    if not text.startswith("="):
        return TextTest(text)
    if len(text) == 1:
        return BadValue(f"`{field.name}:=` needs a value", f"for example {field.example}")
    return TextTest(text[1:], is_exact=True)


def _read_choice(field: Field, text: str) -> Test | BadValue:
    wanted = text.lower()
    for word, value in field.choices:
        if wanted in {word, value.lower()}:
            return ChoiceTest(value)
    words = [word for word, _ in field.choices]
    close = get_close_matches(wanted, words, n=1)
    hint = f"did you mean {field.name}:{close[0]}?" if close else f"one of {', '.join(words)}"
    return BadValue(f"`{_shorten(text)}` is no {field.name}", hint)


def _read_flag(field: Field, text: str) -> Test | BadValue:
    if text.lower() in _YES:
        return FlagTest(is_set=True)
    if text.lower() in _NO:
        return FlagTest(is_set=False)
    return BadValue(f"`{field.name}` is yes or no", f"{field.name}:yes or {field.name}:no")


def _read_comparison(field: Field, text: str) -> Test | BadValue:
    status_class = _STATUS_CLASS.fullmatch(text) if field.kind is Kind.STATUS else None
    if status_class:
        low = int(status_class.group(1)) * 100
        return RangeTest(low, low + 99)
    low_text, dots, high_text = text.partition("..")
    if dots:
        return _read_range(field, low_text, high_text)
    match = _COMPARISON.fullmatch(text)
    assert match is not None
    figure = _read_figure(field, match.group(2))
    if isinstance(figure, BadValue):
        return figure
    sign = match.group(1) or "="
    return NumberTest(Comparison(_SIGNS.get(sign, sign)), figure)


def _read_range(field: Field, low_text: str, high_text: str) -> Test | BadValue:
    low = _read_figure(field, low_text)
    high = _read_figure(field, high_text)
    if isinstance(low, BadValue):
        return low
    if isinstance(high, BadValue):
        return high
    if low > high:
        return BadValue(
            f"the range {_shorten(low_text)}..{_shorten(high_text)} runs backwards", "write the smaller figure first"
        )
    return RangeTest(low, high)


def _read_figure(field: Field, text: str) -> float | BadValue:
    units = _UNITS[field.kind]
    match = _FIGURE.fullmatch(text.strip())
    if match is None or not any(character.isdigit() for character in match.group(1)):
        return BadValue(f"`{_shorten(text)}` is no figure", f"for example {field.example}")
    scale = units.get(match.group(2).lower())
    if scale is None:
        known = ", ".join(unit for unit in units if unit)
        return BadValue(
            f"`{match.group(2)}` is no unit of `{field.name}`", f"units are {known}" if known else "write the figure alone"
        )
    value = float(match.group(1).replace("_", "")) * scale
    if not math.isfinite(value) or abs(value) > _LIMIT:
        return BadValue(f"`{_shorten(text)}` is too large")
    return value


def _read_time(field: Field, text: str) -> Test | BadValue:
    wanted = text.lower()
    if wanted == "now":
        return TimeTest(ago_us=0)
    if wanted in {"today", "yesterday"}:
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return TimeTest(at_us=_epoch_us(midnight - timedelta(days=1 if wanted == "yesterday" else 0)))
    match = _FIGURE.fullmatch(wanted)
    unit_ms = _DURATIONS_MS.get(match.group(2)) if match and match.group(2) else None
    if match and unit_ms and match.group(1)[:1].isdigit():
        ago_us = float(match.group(1).replace("_", "")) * unit_ms * 1000
        return TimeTest(ago_us=int(ago_us)) if ago_us < _LIMIT else BadValue(f"`{_shorten(text)}` is too long ago")
    try:
        return TimeTest(at_us=_epoch_us(datetime.fromisoformat(text)))
    except (ValueError, OverflowError, OSError):
        return BadValue(
            f"`{_shorten(text)}` is no time", f"{field.name}:1h, {field.name}:today or {field.name}:2026-11-01T09:30"
        )


def _epoch_us(moment: datetime) -> int:
    """Return microseconds since the epoch; a moment without a zone is local time."""
    aware = moment.astimezone() if moment.tzinfo is None else moment
    return (aware.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


_READERS: dict[Kind, Callable[[Field, str], Test | BadValue]] = {
    Kind.TEXT: _read_text,
    Kind.PREFIX: _read_text,
    Kind.CHOICE: _read_choice,
    Kind.FLAG: _read_flag,
    Kind.TIME: _read_time,
}
