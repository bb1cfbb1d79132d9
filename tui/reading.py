"""Everything the dashboard reads from the store, as functions that workers call: the UI thread never waits for a database.

No widget, no drawing, no second implementation of what the readers answer. What reads is loaded when it is first asked: the
screen is there before the store.
"""

import json
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from proxy_core.dialects.base import ParsedResponse
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.streaming import StreamRates, read_stream_rates
from storage.views import ExchangeDetail, ExchangeSummary
from tui.outline import Arrangement, Grouping, GroupKey, Rows

if TYPE_CHECKING:
    from storage.outline import OutlineEntry
    from storage.store import Store

_RECHECKED: Final = 500
"""Newest rows that are looked at again each time: they may come to pass a filter once they are analysed."""
_CHECKED_S: Final = 10.0
"""How often it is counted whether older rows have gone, or come to pass."""
_SHOWN_BODY_CHARS: Final = 200_000
_NOT_KEPT: Final = "(not kept)"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which requests are listed, and how."""

    wanted: Filter
    grouping: Grouping = Grouping.FLAT
    folded: frozenset[GroupKey] = frozenset()


@dataclass(slots=True)
class RequestRows:
    """The rows of the request list, kept current by small reads. Used by one worker at a time."""

    store: "Store"
    _read_for: tuple[Filter, bool] | None = None
    """Filter, and whether it was grouped."""
    _read_at: float = 0.0
    _entries: "list[OutlineEntry]" = field(default_factory=list)
    _ids: list[int] = field(default_factory=list)
    _arrangement: Arrangement | None = None
    """`None`: `_entries` have been read anew."""

    def update(self, selection: Selection) -> Rows:
        """Return all rows of a selection."""
        from storage.filters.clauses import compile_filter

        is_grouped = selection.grouping is not Grouping.FLAT
        now = time.monotonic()
        where = None if selection.wanted.is_empty else compile_filter(selection.wanted)
        is_other = self._read_for != (selection.wanted, is_grouped)
        if is_other or (now - self._read_at > _CHECKED_S and self._has_holes(where, is_grouped=is_grouped)):
            self._ids, self._entries, self._arrangement = [], [], None
        if is_other or now - self._read_at > _CHECKED_S:
            self._read_for = (selection.wanted, is_grouped)
            self._read_at = now
        if is_grouped:
            return self._arranged(where, selection.grouping).rows(selection.folded)
        self._update_ids(where)
        return Rows.flat(self._ids)

    def _has_holes(self, where: Any, *, is_grouped: bool) -> bool:
        """Say whether older rows have gone, or come to pass a filter, since they were read."""
        from storage.outline import count_ids

        known = self._entries[-1].id if is_grouped and self._entries else self._ids[-1] if self._ids else 0
        return count_ids(self.store.database, where, upto_id=known) != (len(self._entries) if is_grouped else len(self._ids))

    def _update_ids(self, where: Any) -> None:
        from storage.outline import read_ids

        known = self._ids
        if where is not None and known:
            # The rows on the screen still stand on the old list.
            known = self._ids = known[: bisect_right(known, known[-1] - _RECHECKED)]
        known += read_ids(self.store.database, where, after_id=known[-1] if known else 0)

    def _arranged(self, where: Any, grouping: Grouping) -> Arrangement:
        from storage.outline import read_outline

        known = self._entries
        kept = bisect_right(known, known[-1].id - _RECHECKED, key=lambda entry: entry.id) if known else 0
        after_id = known[kept - 1].id if kept else 0
        newest = read_outline(self.store.database, where, after_id=after_id)
        known[kept:] = newest
        if self._arrangement is None or self._arrangement.grouping is not grouping:
            self._arrangement, after_id, newest = Arrangement(grouping), 0, known
        self._arrangement.replace_newest(after_id, newest, newest[-1].id - _RECHECKED if newest else after_id)
        return self._arrangement


def read_summaries(store: "Store", ids: Sequence[int]) -> tuple[ExchangeSummary, ...]:
    """Read the rows of a list by their ids; those that are gone are left out."""
    return store.exchanges.summaries(ids)


def read_detail(store: "Store", number: int) -> ExchangeDetail | None:
    """Read everything of one exchange but its bodies; `None` when it is gone."""
    return store.exchanges.detail(number)


def read_previous(store: "Store", detail: ExchangeDetail) -> ExchangeDetail | None:
    """Read the request before in the same conversation; `None` for the first one."""
    if detail.summary.previous_id is None:
        return None
    return store.exchanges.detail(detail.summary.previous_id)


def read_response(store: "Store", detail: ExchangeDetail) -> ParsedResponse | None:
    """Read the answer, put back together from its stream; `None` while there is none."""
    from proxy_core.dialects.responses import read_response as parse_response

    recorded = store.exchanges.recorded(detail.summary.id)
    return parse_response(recorded) if recorded.status_code is not None else None


def read_document(store: "Store", detail: ExchangeDetail) -> dict[str, Any]:
    """Read both bodies as JSON values; what is no JSON stays text, and a stream becomes the answer it carries."""
    if not detail.request_body.is_kept:
        return {"request": _NOT_KEPT, "response": _NOT_KEPT}
    recorded = store.exchanges.recorded(detail.summary.id)
    document: dict[str, Any] = {"request": _as_json(recorded.request_body)}
    if recorded.response_body is not None:
        document["response"] = _as_json(recorded.response_body)
        if detail.summary.is_streaming and isinstance(document["response"], str):
            from proxy_core.dialects.responses import read_response as parse_response

            parsed = parse_response(recorded)
            document["response (joined from its stream)"] = [dict(block) for block in parsed.blocks] if parsed else None
    return document


def _as_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", errors="replace")
        if len(text) > _SHOWN_BODY_CHARS:
            return text[:_SHOWN_BODY_CHARS] + " …"
        return text


def unpriced_today(store: "Store", now_us: int) -> int:
    """Count the calls of the last day whose model has no known price."""
    from storage.ranges import DAY_US, TimeRange

    return store.sources.summary(TimeRange(since_us=now_us - DAY_US)).unpriced_requests


def newest_us(store: "Store") -> int | None:
    """Read when the newest request began; `None` while there is none."""
    newest = store.exchanges.page(limit=1)
    return newest[0].started_us if newest else None


def stream_rates(store: "Store") -> StreamRates:
    """Measure how many bytes an output token takes in a stream."""
    return read_stream_rates(store.database)


def read_comment(store: "Store", exchange_id: str) -> str | None:
    """Read the comment of a rating; `None` where there is none."""
    found = store.feedback.of_exchange(exchange_id)
    return found.feedback_text if found is not None else None


def save_rating(store: "Store", exchange_id: str, rating: float | None, comment: str | None, *, keeps_comment: bool) -> str:
    """Store, change or take back a rating.

    Args:
        store: Where to.
        exchange_id: The exchange.
        rating: -1.0 to 1.0; `None` takes it back.
        comment: What was said; `None`: nothing.
        keeps_comment: The comment that is there stays, whatever `comment` says.

    Returns:
        What was done, for people.
    """
    found = store.feedback.of_exchange(exchange_id)
    if rating is None:
        if found is not None:
            store.feedback.remove(found.feedback_id)
        return "The rating was taken back"
    if found is None:
        store.feedback.rate(exchange_id, rating, comment)
    else:
        store.feedback.update(found.feedback_id, rating, found.feedback_text if keeps_comment else comment)
    return f"Rated {rating:+.1f}; it counts for every source in the request"


def export(store: "Store", path: Path, format_name: str, exchange_id: str | None, wanted: Filter) -> tuple[str, bool]:
    """Write exchanges to a file; it has its name only once it is whole.

    Args:
        store: Where from.
        path: Where to; must not exist yet.
        format_name: `json`, `jsonl`, `har` or `csv`.
        exchange_id: One exchange; `None`: all that pass.
        wanted: The filter.

    Returns:
        What was done or why not, for people, and whether it was done.
    """
    from storage.export.exporting import export as pieces_of
    from storage.export.options import ExportFormat, ExportOptions

    if exchange_id is not None:
        one = parse(f"id:={exchange_id}")
        assert isinstance(one, Filter), "an id is always understood"
        wanted = one
    count = 0

    def counted() -> None:
        nonlocal count
        count += 1

    part = path.with_name(path.name + ".part")
    try:
        with part.open("x", encoding="utf-8") as file:
            part.chmod(0o600)
            file.writelines(pieces_of(store, wanted, ExportFormat(format_name), ExportOptions(on_exchange=counted)))
        part.rename(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        return f"Could not write {path.name}: {error.strerror or error}", False
    return f"Wrote {count} request{'' if count == 1 else 's'} to {path}", True
