"""Ways in which an answer can go wrong, and how a test or a demonstration asks for one.

Asked for by the request header `x-standin-fault` (for clients whose headers one controls) or planned ahead in `FaultPlan`
(for those whose one does not).
"""

import json
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from proxy_core.standin.wire import Cut, Part, Pause, RawHeaders, Reply, Reset, Stall

FAULT_HEADER = "x-standin-fault"
"""`KIND` or `KIND=AFTER`, for example `529`, `cut=3`, `slow=0.2`."""

ERROR_TYPES = {
    400: ("invalid_request_error", "messages: at least one message is required"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "Not found"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit of 4,000 requests per minute."),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """An error answer; `amount` is the status."""
    CUT = "cut"
    """The connection ends in order after `amount` parts."""
    RESET = "reset"
    """The connection is torn down after `amount` parts."""
    STALL = "stall"
    """Nothing more comes after `amount` parts."""
    SLOW = "slow"
    """Each part comes `amount` seconds after the one before."""
    GARBAGE = "garbage"
    """Bytes that are no HTTP."""
    ERROR_EVENT = "error_event"
    """An `error` event in the stream after `amount` parts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong."""

    kind: FaultKind
    amount: float = 0.0


class FaultPlan:
    """Faults for the next requests, in order; `None` lets one pass. Safe to use from any thread."""

    def __init__(self) -> None:
        self._next: deque[Fault | None] = deque()
        self._lock = threading.Lock()

    def add(self, *faults: Fault | None) -> None:
        """Plan what happens to the next requests."""
        with self._lock:
            self._next.extend(faults)

    def take(self) -> Fault | None:
        """Return what happens to this request."""
        with self._lock:
            return self._next.popleft() if self._next else None


def parse_fault(text: str) -> Fault:
    """Read the header's value.

    Raises:
        ValueError: it names no fault.
    """
    kind, _, amount = text.partition("=")
    if kind.isdigit():
        return Fault(FaultKind.STATUS, float(kind))
    return Fault(FaultKind(kind), float(amount or 0))


def error_body(status: int, request_id: str, message: str | None = None) -> bytes:
    """Return an error as the API words it."""
    kind, usual = ERROR_TYPES.get(status, ("api_error", "Internal server error"))
    error = {"type": "error", "error": {"type": kind, "message": message or usual}, "request_id": request_id}
    return json.dumps(error, separators=(",", ":")).encode()


def error_reply(status: int, headers: RawHeaders, request_id: str, message: str | None = None) -> Reply:
    """Return an error answer."""
    extra: RawHeaders = (
        (b"content-type", b"application/json"),
        (b"x-should-retry", b"true" if _is_retried(status) else b"false"),
    )
    if status == 429:
        extra += ((b"retry-after", b"0"),)
    return Reply(status=status, headers=headers + extra, parts=(error_body(status, request_id, message),))


def spoil(reply: Reply, fault: Fault) -> Reply:
    """Return the reply with the fault in it (all but `STATUS`, which is no longer this reply)."""
    if fault.kind is FaultKind.GARBAGE:
        return replace(reply, garbage=b"\x16\x03this is not HTTP\r\n\x00\xff\r\n\r\n")
    parts = reply.parts
    if reply.has_length and fault.kind in {FaultKind.CUT, FaultKind.RESET, FaultKind.STALL}:
        parts = _halves(parts)
    return replace(reply, parts=_spoilt(parts, fault), has_length=reply.has_length and fault.kind is FaultKind.ERROR_EVENT)


def _is_retried(status: int) -> bool:
    return status in {408, 409, 429} or status >= 500


def _halves(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, bytes):
            yield part[: len(part) // 2]
            yield part[len(part) // 2 :]
        else:
            yield part


def _spoilt(parts: Iterable[Part], fault: Fault) -> Iterator[Part]:
    ends: dict[FaultKind, Part] = {
        FaultKind.CUT: Cut(),
        FaultKind.RESET: Reset(),
        FaultKind.STALL: Stall(),
        FaultKind.ERROR_EVENT: b"event: error\ndata: " + error_body(529, "") + b"\n\n",
    }
    sent = 0
    for part in parts:
        if fault.kind is FaultKind.SLOW:
            yield Pause(fault.amount)
        elif isinstance(part, bytes) and sent >= fault.amount:
            yield ends[fault.kind]
            return
        sent += isinstance(part, bytes)
        yield part
    if fault.kind is not FaultKind.SLOW:
        yield ends[fault.kind]
