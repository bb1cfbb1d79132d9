"""What a person must be told about the state of things: one line, the gravest first, with what to do about it.

Pure: counters in, words out. Notices are shown in their own place and never take the focus.
"""

from dataclasses import dataclass
from enum import StrEnum

from proxy_core.exchange import ExchangeState
from storage.updating import Update
from storage.views import CaptureCounters, ExchangeSummary
from tui import format as fmt
from tui.failures import explain_failure, explain_unreachable
from tui.invocation import own_command


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
    words: str = ""
    """What the system said, for whoever looks further."""


_DISK_SIGNS = ("disk is full", "database or disk is full", "no space left", "errno 28")
_WORTH_SAYING_BYTES = 1_000_000
_UNREACHABLE_STATUSES = frozenset({502, 504})


def running_notice(counters: CaptureCounters, failure: str | None) -> Notice | None:
    """Return what is to be said about the proxy and the recording; `None` when all is well."""
    if failure is not None:
        trouble = explain_failure(fmt.one_line(failure))
        disk = None if trouble.is_stopped else _disk_notice(trouble.words)
        return disk or Notice(Gravity.ERROR, trouble.text, trouble.remedy, trouble.words)
    if counters.is_paused:
        return Notice(Gravity.WARNING, "Capture is paused: traffic goes on unseen", "p resumes")
    return _storing_notice(counters)


def updating_notice(update: Update) -> Notice:
    """Return what is to be said while an older database is brought up to date, and nothing can be shown yet."""
    so_far = f", {fmt.size(update.written_bytes)} written" if update.written_bytes >= _WORTH_SAYING_BYTES else ""
    text = f"Updating the database ({fmt.size(update.database_bytes)}{so_far})"
    return Notice(Gravity.INFO, text, "once, for this version of Assay")


def _storing_notice(counters: CaptureCounters) -> Notice | None:
    """Return what is to be said about what was lost, or stored and not understood."""
    reason = fmt.one_line(counters.last_error or "")
    if disk := _disk_notice(reason):
        return disk
    if counters.writer_errors:
        text = f"Not everything could be stored: {reason or 'see the log'}"
        return Notice(Gravity.ERROR, text, f"traffic goes on; {own_command()} doctor explains")
    if counters.dropped:
        text = f"The queue was full: {fmt.whole(counters.dropped)} requests went through unrecorded"
        return Notice(Gravity.WARNING, text, "their clients noticed nothing")
    if counters.analysis_errors:
        text = f"{fmt.whole(counters.analysis_errors)} requests could not be read: stored, but without sources"
        return Notice(Gravity.WARNING, text, f"{own_command()} reanalyze tries again")
    return None


def _disk_notice(reason: str) -> Notice | None:
    if not any(sign in reason.lower() for sign in _DISK_SIGNS):
        return None
    text = "The disk is full: requests go on, but are not recorded"
    return Notice(Gravity.ERROR, text, f"free space, or: {own_command()} prune --older-than 7d")


def traffic_notice(newest: ExchangeSummary | None, unpriced_requests: int) -> Notice | None:
    """Return what is to be said about the newest traffic; `None` when it flows.

    Args:
        newest: The newest exchange that has ended.
        unpriced_requests: Calls of the last day whose model has no known price.
    """
    if newest is not None and _is_unreachable(newest):
        said = fmt.one_line(newest.error or "no answer")
        why = explain_unreachable(said)
        tried = f"last tried {fmt.clock(newest.started_us)}, {own_command()} doctor looks further"
        return Notice(Gravity.ERROR, f"The API cannot be reached: {why}", tried, said if said != why else "")
    if unpriced_requests:
        count = fmt.whole(unpriced_requests)
        return Notice(
            Gravity.INFO,
            f"{count} requests today have no known price",
            "dollars are left out, never guessed; name one in your price file",
        )
    return None


def _is_unreachable(summary: ExchangeSummary) -> bool:
    if summary.state is ExchangeState.FAILED and summary.status_code is None:
        return True
    return summary.status_code in _UNREACHABLE_STATUSES
