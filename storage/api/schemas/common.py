"""What all answers share: how times, money and errors are written, and how parameters are read."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, with_config

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MINUTES = 24 * 60
_CLOCK = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(_DAY_MINUTES))
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))


class Answer(BaseModel):
    """The base of everything the API answers with."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class Question(BaseModel):
    """The base of parameters and bodies: an unknown name is an error, so that a typing mistake is not silently ignored."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="forbid", protected_namespaces=())


as_line = with_config(ConfigDict(use_attribute_docstrings=True))
"""Decorates a `TypedDict` that stands for one line of a long list: to make a model of each takes twice as long. The answer
around them is made by `model_construct`, or each would be looked through and copied."""


class ErrorAnswer(Answer):
    """Every error."""

    error: str
    """What went wrong, one sentence."""
    details: str | None
    """Where and why; `null` when there is no more to say."""


Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T19:04:05.123456Z"])]
"""A moment in an answer: ISO 8601, UTC, microseconds."""

ExchangeId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=["019ab7c6f0d27a418a3f6f6b1c2d3e4f"])]
"""Id of an exchange: its request, its response and both together."""

_SHOWN_ID = WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{32}$", "examples": ["019ab7c6f0d27a418a3f6f6b1c2d3e4f"]})
AskedId = Annotated[str, Field(max_length=200), _SHOWN_ID]
"""An id in a question: ids are opaque to who asks, one of another shape is an id of nothing."""

Usd = Annotated[float, Field(examples=[0.0421])]


def to_timestamp(moment_us: int) -> str:
    """Write microseconds since the epoch as ISO 8601."""
    # By hand: lists hold thousands, and `datetime` takes twice as long.
    minutes = moment_us // 60_000_000
    us = moment_us - minutes * 60_000_000
    clock = f"{_CLOCK[minutes % _DAY_MINUTES]}:{_TWO_DIGITS[us // 1_000_000]}.{us % 1_000_000:06}"
    return f"{_date(minutes // _DAY_MINUTES)}T{clock}Z"


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def to_timestamp_or_none(moment_us: int | None) -> str | None:
    """Write a moment that may not be known."""
    return None if moment_us is None else to_timestamp(moment_us)


def to_usd(nano_usd: int | None) -> float | None:
    """Write 1e-9 dollars as dollars."""
    return None if nano_usd is None else nano_usd / 1e9


def replace_halves(text: str) -> str:
    """Replace half characters (JSON can name them, UTF-8 cannot hold them)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read_moment(value: Any) -> int:
    """Read an ISO 8601 time as microseconds since the epoch; one without a zone is UTC.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or len(value) < 10 or not value[:4].isdigit():
        raise ValueError("an ISO 8601 time is expected, such as 2026-11-22T19:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (aware - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise ValueError("an ISO 8601 time is expected, such as 2026-11-22T19:00:00Z") from error


Moment = Annotated[
    int,
    BeforeValidator(read_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T00:00:00Z"]}),
]
"""A moment in a parameter; ISO 8601, UTC where no zone is given."""

Limit = Annotated[int, Field(ge=1, le=100)]
Offset = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Period(Question):
    """A time range."""

    start_time: Moment | None = None
    """From this time on."""
    end_time: Moment | None = None
    """Up to, but not with, this time."""
