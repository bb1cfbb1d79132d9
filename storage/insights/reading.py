"""Fetches the material of insights from the store: analysed model calls with their ledgers, and rated uses."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, Row, and_, select, true

from proxy_core.attribution.model import CallFacts, RequestClass, Segment, Source, SourceType
from proxy_core.dialects.responses import read_response
from proxy_core.exchange import Headers
from storage import stored_attributions
from storage.database import Database
from storage.errors import BodyCorruptError
from storage.heads import read_head
from storage.insights.carry import CarriedContent, carry_costs
from storage.insights.overview import Insights, gather_insights
from storage.insights.reconciliation import CountedPrompt
from storage.insights.turns import AnalysedTurn
from storage.insights.worth import RatedUse
from storage.models import ExchangeRow, ExchangeSourceRow, FeedbackRow, SourceRow
from storage.ranges import ALL_TIME, TimeRange
from storage.recorded import read_recorded
from storage.stored_attributions import KnownContents

TURNS_LOOKED_AT = 2_000
"""Newest model calls of a range that insights look at; more would not fit into a reader's patience."""

_exchange = ExchangeRow.__table__.c
_feedback = FeedbackRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c

_WITHOUT_PROMPT = (RequestClass.OTHER.value, RequestClass.COUNT_TOKENS.value)

_TURNS = select(_exchange.id, _exchange.exchange_id, _exchange.started_us, _exchange.delivered_us, _exchange.previous_id)

type Clause = ColumnElement[bool]
type _Found = Row[int, str, int, int | None, int | None]


class InsightReader:
    """Reads what insights need; safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insights(self, wanted: TimeRange = ALL_TIME, session_id: str | None = None, where: Clause | None = None) -> Insights:
        """Look at the newest model calls of a range (or one session, or a filter) from every side."""
        with _collecting_nothing():
            turns = self.turns(wanted, session_id, where=where, limit=TURNS_LOOKED_AT + 1)
            is_cut = len(turns) > TURNS_LOOKED_AT
            return gather_insights(
                turns[-TURNS_LOOKED_AT:],
                self.rated_uses(wanted, session_id),
                since_us=wanted.since_us,
                until_us=wanted.until_us,
                session_id=session_id,
                is_cut=is_cut,
            )

    def turns(
        self,
        wanted: TimeRange = ALL_TIME,
        session_id: str | None = None,
        *,
        where: Clause | None = None,
        limit: int = TURNS_LOOKED_AT,
        has_texts: bool = True,
    ) -> list[AnalysedTurn]:
        """Read the newest analysed model calls, in order of arrival.

        Args:
            wanted: When they started.
            session_id: Only this session's.
            where: A further condition, such as a compiled filter.
            limit: At most so many.
            has_texts: Rebuild the segments' texts; slower, and needed only where contents are compared.
        """
        known = KnownContents()
        with self._database.read() as connection:
            rows = connection.execute(
                _TURNS.where(_is_model_call(wanted, session_id), *([] if where is None else [where]))
                .order_by(_exchange.id.desc())
                .limit(limit)
            ).all()
            followed = {row.previous_id for row in rows}
            # The newest first: a conversation's last request holds nearly all the texts of those before it.
            turns = [_read_turn(connection, row, known, is_followed=row.id in followed, has_texts=has_texts) for row in rows]
            return [turn for turn in reversed(turns) if turn is not None]

    def carry_of(self, row_id: int, segment_index: int) -> CarriedContent | None:
        """Reckon what a segment cost since its conversation first carried it, up to and with this request.

        Args:
            row_id: Number of the request.
            segment_index: Index of the segment in it.

        Returns:
            `None` where the request or one of its bills is not known.
        """
        turns: list[AnalysedTurn] = []
        known = KnownContents()
        with self._database.read() as connection:
            following: int | None = row_id
            while following is not None and len(turns) < TURNS_LOOKED_AT:
                row = connection.execute(_TURNS.where(_exchange.id == following)).one_or_none()
                turn = None if row is None else _read_turn(connection, row, known, is_followed=True, has_texts=False)
                if turn is None or (turns and not _carries(turn, turns[0].attribution.segments[segment_index])):
                    break
                turns.append(turn)
                following = turn.previous_id
        return None if not turns else _carry_among(turns, turns[0].attribution.segments[segment_index])

    def counted_prompts(self, wanted: TimeRange = ALL_TIME, session_id: str | None = None) -> list[CountedPrompt]:
        """Read the answers of the newest count_tokens calls."""
        query = (
            select(_exchange.id, _exchange.exchange_id)
            .where(wanted.holds(_exchange.started_us), _of_session(session_id))
            .where(_exchange.request_class == RequestClass.COUNT_TOKENS.value)
            .order_by(_exchange.id.desc())
            .limit(TURNS_LOOKED_AT)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            found = ((row.exchange_id, stored_attributions.load(connection, row.id)) for row in rows)
            prompts = (_counted_prompt(exchange_id, stored.attribution.facts) for exchange_id, stored in found if stored)
            return [prompt for prompt in prompts if prompt is not None]

    def response_headers(self, turns: Sequence[AnalysedTurn]) -> list[tuple[AnalysedTurn, Headers]]:
        """Read the heads of these turns' answers."""
        with self._database.read() as connection:
            return [(turn, read_head(connection, turn.id).response_headers) for turn in turns]

    def rated_uses(self, wanted: TimeRange = ALL_TIME, session_id: str | None = None) -> list[RatedUse]:
        """Read every source of every rated exchange."""
        query = (
            select(_source.source_type, _source.source_name, _feedback.rating, _use.cost_nano_usd)
            .select_from(FeedbackRow.__table__)
            .join(ExchangeRow.__table__, _exchange.id == _feedback.exchange_id)
            .join(ExchangeSourceRow.__table__, _use.exchange_id == _exchange.id)
            .join(SourceRow.__table__, _source.id == _use.source_id)
            .where(wanted.holds(_exchange.started_us), _of_session(session_id))
        )
        with self._database.read() as connection:
            return [_rated_use(row) for row in connection.execute(query)]


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Keep the garbage collector from walking a million small objects again and again; none of them are garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_model_call(wanted: TimeRange, session_id: str | None) -> Clause:
    return and_(
        wanted.holds(_exchange.started_us),
        _of_session(session_id),
        _exchange.attribution_version.is_not(None),
        _exchange.is_estimate.is_(False),
        _exchange.request_class.not_in(_WITHOUT_PROMPT),
    )


def _of_session(session_id: str | None) -> Clause:
    return true() if session_id is None else _exchange.session_id == session_id


def _read_turn(
    connection: Connection, row: _Found, known: KnownContents, *, is_followed: bool, has_texts: bool
) -> AnalysedTurn | None:
    """Read one turn; `None` when its attribution is damaged, which `assay verify` tells."""
    try:
        attribution = stored_attributions.load_knowing(connection, row.id, known, has_texts=has_texts)
        # What an answer calls is in the next request anyway, where there is one.
        called = frozenset() if is_followed else frozenset(_called_tools(connection, row.id))
    except BodyCorruptError:
        return None
    if attribution is None:
        return None
    return AnalysedTurn(
        id=row.id,
        exchange_id=row.exchange_id,
        started_us=row.started_us,
        ended_us=row.delivered_us or row.started_us,
        previous_id=row.previous_id,
        attribution=attribution,
        called_tools=called,
    )


def _carries(turn: AnalysedTurn, wanted: Segment) -> bool:
    return any(s.content_hash == wanted.content_hash and s.source == wanted.source for s in turn.attribution.segments)


def _carry_among(turns: Sequence[AnalysedTurn], wanted: Segment) -> CarriedContent | None:
    items = carry_costs(turns)
    return next((item for item in items if (item.content_hash, item.source) == (wanted.content_hash, wanted.source)), None)


def _called_tools(connection: Connection, row_id: int) -> Iterator[str]:
    response = read_response(read_recorded(connection, row_id))
    for block in response.blocks if response is not None else ():
        name = block.get("name")
        if block.get("type") in {"tool_use", "server_tool_use", "mcp_tool_use"} and isinstance(name, str):
            yield name


def _counted_prompt(exchange_id: str, facts: CallFacts) -> CountedPrompt | None:
    if facts.counted_tokens is None or not facts.chain_hashes:
        return None
    return CountedPrompt(
        exchange_id=exchange_id,
        chain_hash=facts.chain_hashes[-1],
        prefix_hash=facts.prefix_hash,
        model=facts.requested_model,
        tokens=facts.counted_tokens,
    )


def _rated_use(row: Row[str, str, float, int | None]) -> RatedUse:
    return RatedUse(
        source=Source(SourceType(row.source_type), row.source_name or None),
        rating=row.rating,
        cost_nano_usd=row.cost_nano_usd,
    )
