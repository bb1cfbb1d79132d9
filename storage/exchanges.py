"""Reads exchanges: lists by keyset, one whole, its bodies, its segments with their texts. It never writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select

from proxy_core.attribution.model import Attribution
from proxy_core.dialects.base import RecordedCall
from proxy_core.exchange import Side
from storage import bodies, models, sqlite
from storage.database import Database
from storage.errors import AmbiguousIdError, BodyCorruptError, NoSuchExchangeError
from storage.filters.clauses import FilterClause
from storage.heads import StoredHead, read_head
from storage.pieces import HASH_BYTES
from storage.recorded import decoded_bytes, read_recorded
from storage.rows import SUMMARY_COLUMNS, summaries_of, summary_of, timing_of
from storage.searching import Search
from storage.statements import Prepared
from storage.stored_attributions import load_with_texts
from storage.views import BodyFacts, ExchangeDetail, ExchangeSummary

_EXCHANGES = models.ExchangeRow.__table__
_FACETS = models.FacetRow.__table__
_USES = models.SegmentUseRow.__table__
_ID_DIGITS = 32
_AT_ONCE = 500
_LARGEST_ID = 2**62

type Clause = ColumnElement[bool]


class ExchangeOrder(StrEnum):
    """How a list is sorted; only by arrival can it be paged by key."""

    NEWEST = "newest"
    OLDEST = "oldest"
    COSTLIEST = "costliest"
    LARGEST = "largest"
    """Most input tokens first."""
    SLOWEST = "slowest"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentUse:
    """Where else a segment's content occurs."""

    first_id: int
    """`ExchangeSummary.id` of the first exchange that carried it; it may have been deleted since."""
    uses: int
    """Exchanges that carry it."""


class ExchangeReader:
    """Reads exchanges. A key is the number of a summary (`int`) or an exchange id, whole or its beginning (`str`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        limit: int = 100,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        where: Clause | None = None,
        order: ExchangeOrder = ExchangeOrder.NEWEST,
        offset: int = 0,
    ) -> tuple[ExchangeSummary, ...]:
        """Read one page of a list.

        Args:
            limit: At most so many.
            before_id: Only those that arrived before this one (its `id`): the next page of a list, newest first.
            after_id: Only those that arrived after this one.
            where: A condition on `exchange`, such as a compiled filter.
            order: How it is sorted.
            offset: Leave out so many first; slow for large numbers.
        """
        with self._database.read() as connection:
            if where is None and order in _BY_ARRIVAL:
                high = _LARGEST_ID if before_id is None else before_id
                bounds = {"low": after_id or 0, "high": high, "most": limit, "first": offset}
                return summaries_of(_PAGES[order].fetch(connection, bounds))
            if isinstance(where, FilterClause) and order in _BY_ARRIVAL and sqlite.has_arms(connection):
                is_descending = order is ExchangeOrder.NEWEST
                search = Search(connection, where)
                ids = search.find(offset + limit, (after_id, before_id), is_descending=is_descending)[offset:]
                return summaries_of(_BY_IDS[order].fetch(connection, {"ids": sqlite.pack_ids(ids)}))
            query = select(*SUMMARY_COLUMNS).where(*_bounds(before_id, after_id, where)).order_by(*_ORDERS[order])
            return summaries_of(connection.execute(query.limit(limit).offset(offset)))

    def count(self, where: Clause | None = None) -> int:
        """Count exchanges."""
        with self._database.read() as connection:
            if where is None:
                return sum(row[0] or 0 for query in _COUNT_ALL for row in query.fetch(connection, {}))
            if isinstance(where, FilterClause) and sqlite.has_arms(connection):
                return Search(connection, where).count()
            return connection.execute(select(func.count()).select_from(_EXCHANGES).where(where)).scalar_one()

    def newest_id(self) -> int:
        """Return the number of the newest exchange; 0 when there is none."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(_EXCHANGES.c.id))).scalar() or 0

    def summaries(self, ids: Sequence[int]) -> tuple[ExchangeSummary, ...]:
        """Read exchanges by their numbers, in that order; those that are gone are left out."""
        found: dict[int, ExchangeSummary] = {}
        with self._database.read() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                query = select(*SUMMARY_COLUMNS).where(_EXCHANGES.c.id.in_(ids[start : start + _AT_ONCE]))
                found.update((one.id, one) for one in summaries_of(connection.execute(query)))
        return tuple(found[number] for number in ids if number in found)

    def summary(self, key: int | str) -> ExchangeSummary:
        """Read one exchange as a list shows it.

        Raises:
            NoSuchExchangeError: There is none.
            AmbiguousIdError: Several ids begin so.
        """
        with self._database.read() as connection:
            return summary_of(_row(connection, key))

    def find_id(self, beginning: str) -> str:
        """Complete the beginning of an exchange id.

        Raises:
            NoSuchExchangeError: No id begins so.
            AmbiguousIdError: Several do.
        """
        return self.summary(beginning).exchange_id

    def detail(self, key: int | str) -> ExchangeDetail | None:
        """Read everything of an exchange but its bodies; `None` when there is no such exchange."""
        with self._database.read() as connection:
            try:
                row = _row(connection, key, "whole")
            except NoSuchExchangeError:
                return None
            return _detail(connection, row)

    def attribution(self, key: int | str) -> Attribution | None:
        """Read what is known of an exchange's meaning, with the segments' texts; `None`: not analysed.

        Raises:
            NoSuchExchangeError: There is no such exchange.
        """
        with self._database.read() as connection:
            return load_with_texts(connection, _number(connection, key))

    def previous(self, key: int | str) -> ExchangeSummary | None:
        """Read the request before in the same conversation; `None` for the first one, and when it was deleted."""
        previous_id = self.summary(key).previous_id
        found = self.summaries([previous_id]) if previous_id else ()
        return found[0] if found else None

    def body(self, key: int | str, side: Side, *, decoded: bool = False) -> bytes | None:
        """Rebuild a body byte for byte, or without its content-encoding; `None` when there is none or it was dropped.

        Raises:
            NoSuchExchangeError: There is no such exchange.
            BodyCorruptError: It cannot be rebuilt.
        """
        with self._database.read() as connection:
            row_id = _number(connection, key)
            return decoded_bytes(connection, row_id, side) if decoded else bodies.read_body(connection, row_id, side)

    def decoded_body(self, key: int | str, side: Side) -> bytes | None:
        """Rebuild a body without its content-encoding; as `body` otherwise."""
        return self.body(key, side, decoded=True)

    def iterate_body(self, key: int | str, side: Side) -> Iterator[bytes]:
        """Rebuild a body part by part, in bounded memory, no transaction open in between; nothing when there is none.

        Raises:
            NoSuchExchangeError: There is no such exchange.
            BodyCorruptError: It cannot be rebuilt.
        """
        with self._database.read() as connection:
            row_id = _number(connection, key)
        yield from bodies.read_portions(self._database.read, row_id, side)

    def recorded(self, key: int | str) -> RecordedCall:
        """Read an exchange as the analysis wants it: heads, and bodies without their content-encodings.

        Raises:
            NoSuchExchangeError: There is no such exchange.
        """
        with self._database.read() as connection:
            return read_recorded(connection, _number(connection, key))

    def segment_use(self, content_hash: str) -> SegmentUse | None:
        """Say where else a segment's content occurs; `None` when no analysed exchange carries it."""
        if len(content_hash) != 2 * HASH_BYTES:
            return None
        query = select(_USES.c.first_id, _USES.c.uses).where(_USES.c.content_hash == bytes.fromhex(content_hash))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return SegmentUse(first_id=row.first_id, uses=row.uses) if row and row.uses > 0 else None


_ORDERS: dict[ExchangeOrder, tuple[ColumnElement[Any], ...]] = {
    ExchangeOrder.NEWEST: (_EXCHANGES.c.id.desc(),),
    ExchangeOrder.OLDEST: (_EXCHANGES.c.id.asc(),),
    ExchangeOrder.COSTLIEST: (func.coalesce(_EXCHANGES.c.cost_nano_usd, -1).desc(), _EXCHANGES.c.id.desc()),
    ExchangeOrder.LARGEST: (func.coalesce(_EXCHANGES.c.input_tokens, -1).desc(), _EXCHANGES.c.id.desc()),
    ExchangeOrder.SLOWEST: (func.coalesce(_EXCHANGES.c.latency_us, -1).desc(), _EXCHANGES.c.id.desc()),
}

_BY_ARRIVAL = frozenset({ExchangeOrder.NEWEST, ExchangeOrder.OLDEST})
_PAGES = {
    order: Prepared(
        select(*SUMMARY_COLUMNS)
        .where(_EXCHANGES.c.id > bindparam("low"), _EXCHANGES.c.id < bindparam("high"))
        .order_by(*_ORDERS[order])
        .limit(bindparam("most"))
        .offset(bindparam("first")),
        ("low", "high", "most", "first"),
    )
    for order in _BY_ARRIVAL
}
_COUNT_ALL = (
    Prepared(select(func.sum(_FACETS.c.exchanges)), ()),
    Prepared(select(func.count()).select_from(_EXCHANGES).where(_EXCHANGES.c.facet_id.is_(None)), ()),
)
"""What has a facet is counted there; the rest is open or not analysed."""
_BY_IDS = {
    order: Prepared(select(*SUMMARY_COLUMNS).where(sqlite.is_among(_EXCHANGES.c.id, "ids")).order_by(*_ORDERS[order]), ("ids",))
    for order in _BY_ARRIVAL
}


def _bounds(before_id: int | None, after_id: int | None, where: Clause | None) -> list[Clause]:
    bounds: list[Clause] = []
    if before_id is not None:
        bounds.append(_EXCHANGES.c.id < before_id)
    if after_id is not None:
        bounds.append(_EXCHANGES.c.id > after_id)
    if where is not None:
        bounds.append(where)
    return bounds


_MEANT: dict[str, Clause] = {
    "number": _EXCHANGES.c.id == bindparam("key"),
    "id": _EXCHANGES.c.exchange_id == bindparam("key"),
    "beginning": and_(_EXCHANGES.c.exchange_id >= bindparam("key"), _EXCHANGES.c.exchange_id < bindparam("end")),
}
_COLUMNS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "number": (_EXCHANGES.c.id,),
    "summary": SUMMARY_COLUMNS,
    "whole": tuple(_EXCHANGES.c),
}
# Made once: putting so many columns together costs more than reading the row.
_FIND = {
    (what, meant): select(*columns).where(clause).limit(2)
    for what, columns in _COLUMNS.items()
    for meant, clause in _MEANT.items()
}


def _row(connection: Connection, key: int | str, what: str = "summary") -> Any:
    meant, values = _meaning(key)
    rows = connection.execute(_FIND[what, meant], values).mappings().all()
    if not rows:
        raise NoSuchExchangeError(f"there is no exchange {key}")
    if len(rows) > 1:
        raise AmbiguousIdError(f"more than one exchange id begins with {key}; give more of it")
    return rows[0]


def _number(connection: Connection, key: int | str) -> int:
    return int(_row(connection, key, "number")["id"])


def _meaning(key: int | str) -> tuple[str, dict[str, Any]]:
    if isinstance(key, int):
        return "number", {"key": key}
    wanted = key.strip().lower().replace("-", "")
    if len(wanted) == _ID_DIGITS:
        return "id", {"key": wanted}
    if not wanted or not set(wanted) <= set("0123456789abcdef"):
        raise NoSuchExchangeError(f"{key!r} is no exchange id: it has up to 32 hexadecimal digits")
    return "beginning", {"key": wanted, "end": f"{wanted}g"}


def _detail(connection: Connection, row: Any) -> ExchangeDetail:
    row_id = row["id"]
    head, head_note = _head(connection, row_id)
    facts = bodies.read_facts(connection, row_id)
    attribution, note = _readable_attribution(connection, row_id)
    ledger = attribution.ledger if attribution else None
    notes = (*(attribution.warnings if attribution else ()), *(ledger.notes if ledger else ()))
    problems = tuple(problem for problem in (head_note, note, row["analysis_error"]) if problem)
    return ExchangeDetail(
        summary=summary_of(row),
        timing=timing_of(row),
        request_http_version=head.request_http_version,
        request_headers=head.request_headers,
        request_trailers=head.request_trailers,
        response_http_version=head.response_http_version,
        response_reason=head.response_reason,
        response_headers=head.response_headers,
        response_trailers=head.response_trailers,
        request_body=facts.get(Side.REQUEST) or _open_facts(row["request_bytes"]),
        response_body=facts.get(Side.RESPONSE),
        facts=attribution.facts if attribution else None,
        usage=ledger.usage if ledger else None,
        cost_basis=ledger.cost_basis if ledger else None,
        ledger=ledger,
        segments=attribution.segments if attribution else (),
        notes=problems + notes,
    )


_NO_HEAD = StoredHead(
    request_http_version="",
    request_headers=(),
    request_trailers=(),
    response_http_version=None,
    response_reason=None,
    response_headers=(),
    response_trailers=(),
)


def _head(connection: Connection, row_id: int) -> tuple[StoredHead, str | None]:
    """Read the heads; what is damaged is said, not thrown: the rest of the exchange is still worth seeing."""
    try:
        return read_head(connection, row_id), None
    except BodyCorruptError as error:
        return _NO_HEAD, str(error)


def _readable_attribution(connection: Connection, row_id: int) -> tuple[Attribution | None, str | None]:
    try:
        return load_with_texts(connection, row_id), None
    except BodyCorruptError as error:
        return None, str(error)


def _open_facts(request_bytes: int) -> BodyFacts:
    """A request that is still being streamed."""
    return BodyFacts(
        wire_bytes=request_bytes,
        wire_sha256="",
        content_encoding=None,
        is_redacted=False,
        is_decoded=False,
        is_truncated=True,
        is_kept=True,
    )
