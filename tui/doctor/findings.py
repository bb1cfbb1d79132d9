"""What a check of the doctor found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; traffic may come through all the same."""
    BAD = "bad"
    """Traffic will not come through, or will not be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    """What was looked at, in one or two words."""
    verdict: Verdict
    message: str
    """What was found, in one line."""
    remedy: str | None = None
    """What to do about it; `None` when there is nothing to do."""


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check=check, verdict=Verdict.OK, message=message)


def note(check: str, message: str, remedy: str | None = None) -> Finding:
    """Worth knowing."""
    return Finding(check=check, verdict=Verdict.NOTE, message=message, remedy=remedy)


def bad(check: str, message: str, remedy: str | None = None) -> Finding:
    """In the way of traffic."""
    return Finding(check=check, verdict=Verdict.BAD, message=message, remedy=remedy)
