"""Sessions, summed up as their exchanges change; the counterpart of `rollups.py` for `session` and `session_member`.

Sums are added and taken back like roll-ups. What is no sum (title, newest context, client) follows the earliest or newest
exchange, and is only ever right again by `recompute` when a re-analysis takes back what it was taken from.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from proxy_core.attribution.model import RequestClass
from storage import models, rollups
from storage.rollups import Row
from storage.statements import Lookup
from storage.upserts import add_amounts, replace_rows

SESSION_COLUMNS = ("session_id", "prompt_id", "agent_id", "title", "client_name", "client_version")
"""What is read of an exchange's row beside `rollups.EXCHANGE_COLUMNS`."""
_SUMS = ("requests", "errors", "compactions", "input_tokens", "output_tokens", "cache_read_tokens", "cost_nano_usd", "priced")

_EXCHANGES = models.ExchangeRow.__table__
_SESSIONS = models.SessionRow.__table__
_MEMBERS = models.SessionMemberRow.__table__
_READ = Lookup(select(_SESSIONS), _SESSIONS.c.session_id)

type Session = dict[str, Any]
"""A row of `session`."""


def apply(connection: Connection, before: Iterable[Row], after: Sequence[Row]) -> None:
    """Write what changes when exchanges go from `before` to `after`."""
    old = [row for row in before if row["session_id"]]
    new = [row for row in after if row["session_id"]]
    if not old and not new:
        return
    sessions = _read(connection, {row["session_id"] for row in (*old, *new)})
    members: rollups.Sums = {}
    for row, sign in (*((row, -1) for row in old), *((row, 1) for row in new)):
        fold(sessions, row, sign)
        fold_members(members, row, sign)
    _write(connection, sessions)
    _write_members(connection, members)


def fold(sessions: dict[str, Session], row: Row, sign: int = 1) -> None:
    """Add one exchange to (or take its sums out of) its session."""
    key = row["session_id"]
    session = sessions.get(key)
    if session is None:
        session = sessions[key] = _new(row)
    for name, amount in _amounts(row).items():
        session[name] += sign * amount
    if sign > 0:
        _follow(session, row)


def fold_members(members: rollups.Sums, row: Row, sign: int = 1) -> None:
    """Add what one exchange says about its session's prompts, agents and models."""
    for kind in ("prompt", "agent", "model"):
        value = row["model"] if kind == "model" else row[f"{kind}_id"]
        if value:
            rollups.add(members, ((row["session_id"], kind, value), {"exchanges": 1}), sign)


def _new(row: Row) -> Session:
    return {
        "session_id": row["session_id"],
        "first_us": row["started_us"],
        "last_us": row["started_us"],
        "client_name": row["client_name"],
        "client_version": row["client_version"],
        "title": None,
        "title_us": None,
        **dict.fromkeys(_SUMS, 0),
        "last_main_us": None,
        "last_context_tokens": None,
    }


def _amounts(row: Row) -> dict[str, int]:
    billed = rollups.is_billed(row)
    tokens = {name: (row[name] or 0) if billed else 0 for name in ("input_tokens", "output_tokens", "cache_read_tokens")}
    return {
        "requests": 1,
        "errors": int(rollups.is_error(row)),
        "compactions": int(row["request_class"] == RequestClass.COMPACTION),
        **tokens,
        "cost_nano_usd": row["cost_nano_usd"] or 0,
        "priced": int(row["cost_nano_usd"] is not None),
    }


def _follow(session: Session, row: Row) -> None:
    """Take over what the earliest or newest exchange decides."""
    started_us = row["started_us"]
    session["first_us"] = min(session["first_us"], started_us)
    if started_us >= session["last_us"]:
        session["last_us"] = started_us
        session["client_name"] = row["client_name"] or session["client_name"]
        session["client_version"] = row["client_version"] or session["client_version"]
    if row["request_class"] != RequestClass.MAIN:
        return
    if row["title"] and (session["title_us"] is None or started_us <= session["title_us"]):
        session["title"], session["title_us"] = row["title"], started_us
    if row["input_tokens"] is not None and (session["last_main_us"] is None or started_us >= session["last_main_us"]):
        session["last_main_us"], session["last_context_tokens"] = started_us, row["input_tokens"]


def _read(connection: Connection, session_ids: Iterable[str]) -> dict[str, Session]:
    names = [column.name for column in _SESSIONS.c]
    return {row.session_id: dict(zip(names, row, strict=True)) for row in _READ.fetch(connection, session_ids)}


def _write(connection: Connection, sessions: dict[str, Session]) -> None:
    emptied = [key for key, session in sessions.items() if session["requests"] <= 0]
    if emptied:
        connection.execute(_SESSIONS.delete().where(_SESSIONS.c.session_id.in_(emptied)))
    replace_rows(connection, _SESSIONS, [session for session in sessions.values() if session["requests"] > 0])


def _write_members(connection: Connection, members: rollups.Sums) -> None:
    names = ("session_id", "kind", "value")
    changed = {key: amounts for key, amounts in members.items() if amounts["exchanges"]}
    add_amounts(connection, _MEMBERS, [dict(zip(names, key, strict=True)) | amounts for key, amounts in changed.items()])
    lessened = [key for key, amounts in changed.items() if amounts["exchanges"] < 0]
    rollups.delete_empty(connection, _MEMBERS, "exchanges", lessened)


def recompute(connection: Connection) -> None:
    """Sum up anew all sessions whose exchanges are all there."""
    floor = rollups.read_floor(connection)
    sessions, members = sum_sessions(connection, floor)
    whole = select(_SESSIONS.c.session_id).where(_SESSIONS.c.first_us >= floor)
    connection.execute(_MEMBERS.delete().where(_MEMBERS.c.session_id.in_(whole)))
    connection.execute(_SESSIONS.delete().where(_SESSIONS.c.first_us >= floor))
    kept = set(connection.execute(select(_SESSIONS.c.session_id)).scalars())
    replace_rows(connection, _SESSIONS, [session for key, session in sessions.items() if key not in kept])
    _write_members(connection, {key: amounts for key, amounts in members.items() if key[0] not in kept})


def sum_sessions(connection: Connection, floor_us: int = 0) -> tuple[dict[str, Session], rollups.Sums]:
    """Sum up `exchange` by session."""
    columns = [_EXCHANGES.c[name] for name in dict.fromkeys((*rollups.EXCHANGE_COLUMNS, *SESSION_COLUMNS))]
    query = select(*columns).where(_EXCHANGES.c.session_id.is_not(None), _EXCHANGES.c.started_us >= floor_us)
    sessions: dict[str, Session] = {}
    members: rollups.Sums = {}
    for row in connection.execute(query.order_by(_EXCHANGES.c.started_us, _EXCHANGES.c.id)).mappings():
        if row["session_id"]:
            fold(sessions, row)
            fold_members(members, row)
    return sessions, members
