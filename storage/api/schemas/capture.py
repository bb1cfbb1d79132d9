"""The running capture: its counters, and switching it off and on."""

from typing import Literal

from storage.api.schemas.common import Answer, Question
from storage.views import CaptureCounters


class CaptureCommand(Question):
    """What to do."""

    action: Literal["pause", "resume"]
    """Traffic goes on either way."""


class CaptureAnswer(Answer):
    """What happened since start."""

    is_paused: bool
    captured: int
    stored: int
    analysed: int
    in_flight: int
    queued: int
    dropped: int
    """Exchanges that could not be recorded; their traffic went on."""
    capture_errors: int
    writer_errors: int
    analysis_errors: int
    last_error: str | None


class HealthAnswer(Answer):
    """Whether the API works."""

    status: Literal["ok"]


def present_counters(counters: CaptureCounters) -> CaptureAnswer:
    """Present the counters."""
    return CaptureAnswer(**{name: getattr(counters, name) for name in CaptureAnswer.model_fields})
