"""What is exported: the exchanges that a filter lets pass, oldest first, a page at a time and never all at once.

The end is fixed at the start: what arrives while an export runs is not in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import batched

from sqlalchemy import select

from proxy_core.attribution.model import CallFacts
from proxy_core.exchange import Side
from storage.errors import BodyCorruptError
from storage.exchanges import ExchangeOrder
from storage.filters.clauses import compile_filter
from storage.filters.tree import Filter
from storage.models import ExchangeRow
from storage.store import Store
from storage.stored_attributions import load_facts
from storage.views import ExchangeDetail, ExchangeSummary, Feedback

_PAGE = 200
_exchange = ExchangeRow.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedExchange:
    """One exchange, whole."""

    detail: ExchangeDetail
    request_body: bytes | None
    """As on the wire but for redactions; `None`: not wanted, dropped, or none."""
    response_body: bytes | None
    feedback: Feedback | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedCall:
    """One exchange without its texts."""

    summary: ExchangeSummary
    ended_us: int | None
    """Its last byte; `None`: none came."""
    facts: CallFacts | None
    """`None`: not analysed."""


def select_summaries(store: Store, wanted: Filter, on_exchange: Callable[[], None] | None = None) -> Iterator[ExchangeSummary]:
    """Yield what passes a filter, oldest first; `on_exchange` is called for each."""
    where = compile_filter(wanted)
    newest_id = store.exchanges.newest_id()
    last_id = 0
    while True:
        page = store.exchanges.page(_PAGE, where=where, after_id=last_id, order=ExchangeOrder.OLDEST)
        for summary in page:
            if summary.id > newest_id:
                return
            if on_exchange is not None:
                on_exchange()
            yield summary
        if len(page) < _PAGE:
            return
        last_id = page[-1].id


def select_calls(store: Store, wanted: Filter, on_exchange: Callable[[], None] | None = None) -> Iterator[ExportedCall]:
    """Yield what passes a filter, oldest first, with what is known of each call but its texts."""
    for summaries in batched(select_summaries(store, wanted, on_exchange), _PAGE):
        yield from _read_calls(store, summaries)


def _read_calls(store: Store, summaries: tuple[ExchangeSummary, ...]) -> list[ExportedCall]:
    times = select(_exchange.id, _exchange.delivered_us, _exchange.last_byte_us)
    with store.database.read() as connection:
        rows = connection.execute(times.where(_exchange.id.in_([one.id for one in summaries])))
        ends = {number: delivered_us or last_byte_us for number, delivered_us, last_byte_us in rows}
        return [
            ExportedCall(summary=one, ended_us=ends[one.id], facts=load_facts(connection, one.id))
            for one in summaries
            if one.id in ends
        ]


def select_whole(
    store: Store,
    wanted: Filter,
    *,
    has_bodies: bool,
    is_decoded: bool = False,
    on_exchange: Callable[[], None] | None = None,
) -> Iterator[ExportedExchange]:
    """Yield what passes a filter, oldest first, each with all that is known of it.

    Args:
        store: Where from.
        wanted: The filter.
        has_bodies: Read the bodies too.
        is_decoded: Read them without their content-encodings.
        on_exchange: Called for each.
    """
    for summary in select_summaries(store, wanted, on_exchange):
        detail = store.exchanges.detail(summary.id)
        if detail is None:
            continue
        bodies = [_read_body(store, summary.id, side, is_decoded) if has_bodies else None for side in Side]
        feedback = None if summary.rating is None else store.feedback.of_exchange(summary.exchange_id)
        yield ExportedExchange(detail=detail, request_body=bodies[0], response_body=bodies[1], feedback=feedback)


def _read_body(store: Store, number: int, side: Side, is_decoded: bool) -> bytes | None:
    """A body that cannot be rebuilt must not end an export; `assay verify` is there to tell."""
    try:
        return store.exchanges.body(number, side, decoded=is_decoded)
    except BodyCorruptError:
        return None
