"""Writes captured exchanges: one batch, one transaction, all or nothing. The live writer and the imports use it.

Raw only: nothing here reads what a body means. An exchange that is still open is stored too, with its bytes so far in the
journal, so that nothing is lost with the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, bindparam, select

from proxy_core.exchange import (
    CapturedBody,
    CapturedRequest,
    CapturedResponse,
    ExchangeFinished,
    ExchangeState,
    Headers,
    Side,
    Timing,
)
from storage import models, totals
from storage.bases import Bases
from storage.batches import Progress
from storage.bodies import SIDES, BodyDraft, BodyWriter
from storage.heads import head_row
from storage.notices import Change, ExchangeChanged
from storage.pieces import PieceWriter
from storage.reopening import reopen
from storage.statements import Adding, Lookup, Prepared
from storage.upserts import replace_rows, update_columns

_EXCHANGES = models.ExchangeRow.__table__
_HEADS = models.ExchangeHeadRow.__table__
_JOURNAL = models.JournalRow.__table__
_TIMES = (
    "proxy_received_us",
    "proxy_forwarded_us",
    "first_byte_us",
    "first_byte_delivered_us",
    "last_byte_us",
    "delivered_us",
    "upstream_connect_us",
)
_ENDING = (
    "state",
    "owner",
    "is_pending",
    "status_code",
    "error",
    "latency_us",
    "proxy_us",
    "request_bytes",
    "response_bytes",
    *_TIMES,
)
_FIND_ROWS = Lookup(select(_EXCHANGES.c.exchange_id, _EXCHANGES.c.id), _EXCHANGES.c.exchange_id)
_UPDATE_ANSWERED = Prepared(update_columns(_EXCHANGES, ("status_code", *_TIMES)), ("row_id", "status_code", *_TIMES))
_UPDATE_ENDED = Prepared(update_columns(_EXCHANGES, _ENDING), ("row_id", *_ENDING))
_ADD_EXCHANGE = Adding(_EXCHANGES, "exchange_id", [column.name for column in _EXCHANGES.c if column.name != "id"])
_INSERT_JOURNAL = Prepared(_JOURNAL.insert(), ("exchange_id", "side", "is_decoded", "chunk"))
_CLEAR_JOURNAL = Prepared(_JOURNAL.delete().where(_JOURNAL.c.exchange_id == bindparam("row_id")), ("row_id",))


@dataclass(slots=True)
class _Open:
    """An exchange that this writer has begun to store."""

    row_id: int
    request_sha256: str | None = None
    """Of the request's body, if that is stored already."""
    request: CapturedRequest | None = None
    """Its head, for when the response's comes; `None`: not known any more."""
    is_new: bool = False
    """Its row was inserted in this transaction: nothing else is there yet."""


class Ingest:
    """Stores batches. For one thread.

    Args:
        owner: Stands in open exchanges, so that others leave them alone.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._pieces = PieceWriter()
        self._bodies = BodyWriter(self._pieces)
        self._bases = Bases(self._pieces)
        self._open: dict[str, _Open] = {}

    def store(self, connection: Connection, batch: Sequence[Progress]) -> list[ExchangeChanged]:
        """Write a batch inside the caller's transaction and say what changed; call `settle` once it is committed."""
        if all(_only_grew(item) and item.exchange_id in self._open for item in batch):
            self._journal(connection, batch, self._open)
            return [_change(item, self._open[item.exchange_id].row_id) for item in batch]
        if any(item.started or item.finished for item in batch) and self._pieces.begin(connection):
            self._bases.forget()
            self._bodies.forget()
        known = self._known(connection, batch)
        changes = self._insert(connection, [item for item in batch if item.exchange_id not in known], known)
        present = [item for item in batch if item.exchange_id in known]
        older = [item for item in present if not known[item.exchange_id].is_new]
        changes += self._reopen(connection, [item for item in older if item.started and not item.finished], known)
        self._update(connection, older, known)
        self._journal(connection, present, known)
        self._save_bodies(connection, present, known)
        self._save_heads(connection, present, known)
        self._clear_journal(connection, [item for item in present if item.finished and (item.grown or item in older)], known)
        changes += [_change(item, known[item.exchange_id].row_id) for item in present if item.finished or not item.started]
        return changes

    def settle(self, batch: Sequence[Progress]) -> None:
        """Remember what was committed."""
        for item in batch:
            state = self._open.get(item.exchange_id)
            if state is not None:
                state.is_new = False
            if item.finished:
                self._open.pop(item.exchange_id, None)

    def forget(self) -> None:
        """Forget what was remembered: the transaction was rolled back."""
        self._pieces.forget()
        self._bases.forget()
        self._bodies.forget()
        self._open.clear()

    def _known(self, connection: Connection, batch: Sequence[Progress]) -> dict[str, _Open]:
        """Find the exchanges of the batch that have a row already."""
        known = {item.exchange_id: self._open[item.exchange_id] for item in batch if item.exchange_id in self._open}
        others = [item.exchange_id for item in batch if item.exchange_id not in known]
        known.update((key, _Open(row_id)) for key, row_id in find_rows(connection, others).items())
        return known

    def _insert(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> list[ExchangeChanged]:
        """Insert rows of new exchanges; the events of an exchange whose beginning was never seen are dropped."""
        rows = [row for item in items if (row := self._row(item)) is not None]
        if not rows:
            return []
        ids = _ADD_EXCHANGE.run(connection, rows)
        for key, row_id in ids.items():
            known[key] = self._open[key] = _Open(row_id, is_new=True)
        begun = [item for item in items if item.exchange_id in ids and not item.finished]
        return [ExchangeChanged(ids[item.exchange_id], Change.STARTED) for item in begun]

    def _row(self, item: Progress) -> dict[str, Any] | None:
        first = item.finished or item.started
        if first is None:
            return None
        url = urlsplit(first.request.url)
        return {
            **_DEFAULTS,
            "exchange_id": first.exchange_id,
            "started_us": first.timing.client_started_us,
            "state": ExchangeState.OPEN,
            "owner": self._owner,
            "mode": first.mode,
            "connection_id": first.connection_id,
            "method": first.request.method,
            "url": first.request.url,
            "host": url.hostname or "",
            "path": url.path or "/",
            "request_bytes": first.request_body.wire_bytes if first.request_body else 0,
            **_times(first.timing),
            **(_ending(item.finished) if item.finished else {}),
        }

    def _reopen(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> list[ExchangeChanged]:
        """Begin anew with exchanges that are told again: another process had begun to store them, and died."""
        begun = {known[item.exchange_id].row_id: item.started for item in items if item.started is not None}
        reopen(connection, self._owner, begun)
        for item in items:
            state = self._open[item.exchange_id] = known[item.exchange_id]
            state.request_sha256 = None
        return [ExchangeChanged(row_id, Change.STARTED) for row_id in begun]

    def _update(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> None:
        answered = [
            {
                "row_id": known[item.exchange_id].row_id,
                "status_code": item.answered.response.status_code,
                **_times(item.answered.timing),
            }
            for item in items
            if item.answered and not item.finished
        ]
        ended = [
            {"row_id": known[item.exchange_id].row_id, **_ending(item.finished)} for item in items if item.finished is not None
        ]
        _UPDATE_ANSWERED.run(connection, answered)
        if ended:
            with totals.following(connection, [row["row_id"] for row in ended]):
                _UPDATE_ENDED.run(connection, ended)

    def _journal(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> None:
        rows = [
            {
                "exchange_id": known[item.exchange_id].row_id,
                "side": SIDES[event.side],
                "is_decoded": event.is_decoded,
                "chunk": event.data,
            }
            for item in items
            for event in item.grown
            if event.data and _is_needed(item, event.side)
        ]
        _INSERT_JOURNAL.run(connection, rows)

    def _clear_journal(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> None:
        _CLEAR_JOURNAL.run(connection, [{"row_id": known[item.exchange_id].row_id} for item in items])

    def _save_bodies(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> None:
        drafts: list[BodyDraft] = []
        for item in items:
            state = known[item.exchange_id]
            request = item.finished or item.started
            if request and request.request_body and request.request_body.wire_sha256 != state.request_sha256:
                drafts.append(_draft(state, Side.REQUEST, request.request_body, request.request.headers))
                state.request_sha256 = request.request_body.wire_sha256
            if item.finished and item.finished.response_body and item.finished.response:
                drafts.append(_draft(state, Side.RESPONSE, item.finished.response_body, item.finished.response.headers))
        self._bodies.save(connection, drafts)

    def _save_heads(self, connection: Connection, items: Sequence[Progress], known: dict[str, _Open]) -> None:
        rows = [
            head_row(connection, self._bases, known[item.exchange_id].row_id, *heads)
            for item in items
            if (heads := _heads(item, known[item.exchange_id])) is not None
        ]
        replace_rows(connection, _HEADS, rows)


def find_rows(connection: Connection, exchange_ids: Sequence[str]) -> dict[str, int]:
    """Look up row ids by exchange id; unknown ones are left out."""
    return {row[0]: row[1] for row in _FIND_ROWS.fetch(connection, exchange_ids)}


def _empty_row() -> dict[str, Any]:
    """All columns at their defaults: rows of one statement need the same columns."""
    defaults: dict[str, Any] = {column.name: None for column in _EXCHANGES.columns if column.nullable}
    flags = {"is_pending": True, "is_estimate": True, "is_streaming": False, "is_distorted": False, "has_note": False}
    return defaults | flags | {"spectrum": b""}


_DEFAULTS = _empty_row()


def _times(timing: Timing) -> dict[str, int | None]:
    return {name: getattr(timing, name) for name in _TIMES}


def _ending(event: ExchangeFinished) -> dict[str, Any]:
    timing = event.timing
    return {
        "state": event.state,
        "owner": None,
        "is_pending": True,
        "status_code": event.response.status_code if event.response else None,
        "error": event.error,
        "latency_us": _microseconds(timing.latency_ms),
        "proxy_us": _microseconds(timing.proxy_ms),
        "request_bytes": event.request_body.wire_bytes,
        "response_bytes": event.response_body.wire_bytes if event.response_body else None,
        **_times(timing),
    }


def _microseconds(span_ms: float | None) -> int | None:
    return None if span_ms is None else round(span_ms * 1000)


def _only_grew(item: Progress) -> bool:
    return item.started is None and item.answered is None and item.finished is None


def _is_needed(item: Progress, side: Side) -> bool:
    """Tell whether bytes that went ahead must be journalled: the end of the exchange may bring the whole body itself."""
    if item.finished is None:
        return True
    body = item.finished.request_body if side is Side.REQUEST else item.finished.response_body
    return body is not None and body.data is None


def _draft(state: _Open, side: Side, body: CapturedBody, headers: Headers) -> BodyDraft:
    encoding = next((value for name, value in headers if name.lower() == "content-encoding"), None)
    return BodyDraft(state.row_id, side, body, encoding, is_first=state.is_new)


def _heads(item: Progress, state: _Open) -> tuple[CapturedRequest, CapturedResponse | None] | None:
    if item.finished:
        return item.finished.request, item.finished.response
    if item.started:
        state.request = item.started.request
    if state.request is None or not (item.started or item.answered):
        return None
    return state.request, item.answered.response if item.answered else None


def _change(item: Progress, row_id: int) -> ExchangeChanged:
    return ExchangeChanged(row_id, Change.FINISHED if item.finished else Change.GREW)
