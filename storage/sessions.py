"""Client sessions: the list from their summed-up rows, one session's agents and context growth from its own exchanges."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select

from proxy_core.attribution.model import RequestClass
from storage.database import Database
from storage.expressions import BOUNDS
from storage.models import ExchangeRow, SessionMemberRow, SessionRow
from storage.ranges import ALL_TIME, TimeRange
from storage.statements import Lookup, Prepared
from storage.views import AgentNode, SessionDetail, SessionSummary

_session = SessionRow.__table__.c
_member = SessionMemberRow.__table__.c
_exchange = ExchangeRow.__table__.c


class SessionReader:
    """Reads sessions, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        wanted: TimeRange = ALL_TIME,
        *,
        limit: int = 100,
        offset: int = 0,
        before: tuple[int, str] | None = None,
    ) -> tuple[SessionSummary, ...]:
        """Return sessions that were active in a range, the last active one first.

        Args:
            wanted: The time range.
            limit: At most so many.
            offset: Leave out so many first.
            before: `(last_us, session_id)` of the last session of the page before; quicker than an offset.
        """
        last_us, session_id = (ALL_TIME.bounds["until"], "") if before is None else before
        values = {**wanted.bounds, "last_us": last_us, "session_id": session_id, "most": limit, "first": offset}
        with self._database.read() as connection:
            rows = _PAGE.fetch(connection, values)
            members = _read_members(connection, [row.session_id for row in rows])
        return tuple(_present(row, members[row.session_id]) for row in rows)

    def count(self, wanted: TimeRange = ALL_TIME) -> int:
        """Return how many sessions were active in a range."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(SessionRow.__table__).where(_is_active(wanted))) or 0

    def detail(self, session_id: str) -> SessionDetail | None:
        """Return one session; `None` when there is none of this id."""
        with self._database.read() as connection:
            row = connection.execute(select(SessionRow.__table__).where(_session.session_id == session_id)).one_or_none()
            if row is None:
                return None
            members = _read_members(connection, [session_id])
            agents = _read_agents(connection, session_id)
            growth = _read_growth(connection, session_id)
        return SessionDetail(summary=_present(row, members[session_id]), agents=agents, context_growth=growth)


_PAGE = Prepared(
    select(SessionRow.__table__)
    .where(
        _session.last_us >= bindparam("since"),
        _session.first_us < bindparam("until"),
        _session.last_us <= bindparam("last_us"),
        or_(_session.last_us < bindparam("last_us"), _session.session_id < bindparam("session_id")),
    )
    .order_by(_session.last_us.desc(), _session.session_id.desc())
    .limit(bindparam("most"))
    .offset(bindparam("first")),
    (*BOUNDS, "last_us", "session_id", "most", "first"),
)
_MEMBERS = Lookup(
    select(_member.session_id, _member.kind, _member.value).order_by(_member.exchanges.desc(), _member.value),
    _member.session_id,
)


def _is_active(wanted: TimeRange) -> ColumnElement[bool]:
    return and_(
        TimeRange(since_us=wanted.since_us).holds(_session.last_us),
        TimeRange(until_us=wanted.until_us).holds(_session.first_us),
    )


type _Members = dict[str, list[str]]
"""Values by kind of member, the most frequent first."""


def _read_members(connection: Connection, session_ids: Sequence[str]) -> defaultdict[str, _Members]:
    members: defaultdict[str, _Members] = defaultdict(lambda: defaultdict(list))
    for session_id, kind, value in _MEMBERS.fetch(connection, session_ids):
        members[session_id][kind].append(value)
    return members


def _present(row: Any, members: _Members) -> SessionSummary:
    return SessionSummary(
        session_id=row.session_id,
        client_name=row.client_name,
        client_version=row.client_version,
        models=tuple(members.get("model", ())),
        title=row.title,
        first_us=row.first_us,
        last_us=row.last_us,
        requests=row.requests,
        prompts=len(members.get("prompt", ())),
        agents=len(members.get("agent", ())),
        errors=row.errors,
        compactions=row.compactions,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cache_read_tokens=row.cache_read_tokens,
        cost_nano_usd=row.cost_nano_usd if row.priced else None,
        last_context_tokens=row.last_context_tokens,
    )


def _read_agents(connection: Connection, session_id: str) -> tuple[AgentNode, ...]:
    """Sum up each agent's exchanges, in the order they appeared; an index on the session answers."""
    query = (
        select(
            _exchange.agent_id,
            func.max(_exchange.agent_type).label("agent_type"),
            func.max(_exchange.parent_agent_id).label("parent_agent_id"),
            func.count().label("requests"),
            func.coalesce(func.sum(_exchange.input_tokens), 0).label("input_tokens"),
            func.coalesce(func.sum(_exchange.output_tokens), 0).label("output_tokens"),
            func.sum(_exchange.cost_nano_usd).label("cost_nano_usd"),
            func.min(_exchange.started_us).label("first_us"),
            func.max(_exchange.started_us).label("last_us"),
        )
        .where(_exchange.session_id == session_id)
        .group_by(_exchange.agent_id)
        .order_by(func.min(_exchange.started_us))
    )
    return tuple(AgentNode(**row._mapping) for row in connection.execute(query).all())  # noqa: SLF001 - a public name


def _read_growth(connection: Connection, session_id: str) -> tuple[tuple[int, int], ...]:
    query = (
        select(_exchange.started_us, _exchange.input_tokens)
        .where(
            _exchange.session_id == session_id,
            _exchange.request_class == RequestClass.MAIN.value,
            _exchange.input_tokens.is_not(None),
        )
        .order_by(_exchange.started_us, _exchange.id)
    )
    return tuple((started_us, tokens) for started_us, tokens in connection.execute(query).all())
