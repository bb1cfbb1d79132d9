"""What a person must be told about the state of things: one line, the gravest first, with what to do about it.

Pure: counters in, words out. Notices are shown in their own place and never take the focus.
"""

from dataclasses import dataclass
from enum import StrEnum

from proxy_core.exchange import ExchangeState
from storage.views import CaptureCounters, ExchangeSummary
from tui import format as fmt


class Gravity(StrEnum):
    """How much a notice matters; also its style class."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know."""

    gravity: Gravity
    text: str
    """What is the case."""
    remedy: str
    """What to do, or what still works."""


_DISK_SIGNS = ("disk is full", "database or disk is full", "no space left", "errno 28")
_UNREACHABLE_STATUSES = frozenset({502, 504})


def running_notice(counters: CaptureCounters, failure: str | None) -> Notice | None:
    """Return what is to be said about the proxy and the recording; `None` when all is well."""
    if failure is not None:
        return Notice(Gravity.ERROR, f"The proxy has stopped: {fmt.one_line(failure)}", "what was captured stays here; q leaves, assay doctor explains")
    reason = fmt.one_line(counters.last_error or "")
    if any(sign in reason.lower() for sign in _DISK_SIGNS):
        return Notice(Gravity.ERROR, "The disk is full: requests go on, but are not recorded", "free space, or assay prune --older-than 7d")
    if counters.is_paused:
        return Notice(Gravity.WARNING, "Capture is paused: traffic goes on unseen", "p resumes")
    if counters.writer_errors:
        return Notice(Gravity.ERROR, f"Not everything could be stored: {reason or 'see the log'}", "traffic goes on; assay doctor explains")
    if counters.dropped:
        count = fmt.whole(counters.dropped)
        return Notice(Gravity.WARNING, f"The queue was full: {count} requests went through unrecorded", "their clients noticed nothing")
    if counters.analysis_errors:
        count = fmt.whole(counters.analysis_errors)
        return Notice(Gravity.WARNING, f"{count} requests could not be read: stored, but without sources", "assay reanalyze tries again")
    return None


def traffic_notice(newest: ExchangeSummary | None, unpriced_requests: int) -> Notice | None:
    """Return what is to be said about the newest traffic; `None` when it flows.

    Args:
        newest: The newest exchange that has ended.
        unpriced_requests: Calls of the last day whose model has no known price.
    """
    if newest is not None and _is_unreachable(newest):
        return Notice(Gravity.ERROR, f"The API cannot be reached: {fmt.one_line(newest.error or 'no answer')}", f"last tried {fmt.clock(newest.started_us)}")
    if unpriced_requests:
        count = fmt.whole(unpriced_requests)
        return Notice(Gravity.INFO, f"{count} requests today have no known price", "shown as – , never guessed; name one in your price file")
    return None


def _is_unreachable(summary: ExchangeSummary) -> bool:
    if summary.state is ExchangeState.FAILED and summary.status_code is None:
        return True
    return summary.status_code in _UNREACHABLE_STATUSES
