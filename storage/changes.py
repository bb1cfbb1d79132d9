"""What changed since a reader last looked, found in the rows themselves: no log of changes, nothing to miss.

A position says what its reader knows: the newest exchange it has heard of, and those that are still to finish or to be
analysed. It can be written as a short text and read again, by another process too; a reader that comes back with it hears
of every change once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from storage.database import Database
from storage.models import ExchangeRow
from storage.notices import Change

_exchange = ExchangeRow.__table__.c
_MAX_PENDING = 400
"""More exchanges than these are not waited for; the oldest are forgotten first."""
_PAGE = 200
POSITION_PATTERN = "^[0-9]{1,18}(-[0-9]{1,18}[sf]){0,400}$"
"""What the text of a position looks like."""
_LETTERS = {"s": Change.STARTED, "f": Change.FINISHED}


@dataclass(frozen=True, slots=True)
class Position:
    """What a reader knows."""

    newest_id: int
    """Greatest `exchange.id` it has heard of."""
    pending: Mapping[int, Change]
    """By `exchange.id`, the last thing heard of those that are not at their end."""

    def __str__(self) -> str:
        """Write it as a text that `read_position` reads."""
        parts = (f"-{id_}{'s' if change is Change.STARTED else 'f'}" for id_, change in self.pending.items())
        return f"{self.newest_id}{''.join(parts)}"


@dataclass(frozen=True, slots=True)
class ExchangeChange:
    """One thing that happened to one exchange."""

    what: Change
    """Started, finished or analysed."""
    row: Row[*tuple[Any, ...]]
    """`id`, `exchange_id`, `state` and what else `_COLUMNS` names, as of now."""
    position: Position
    """What a reader of this change knows."""


_COLUMNS = (
    _exchange.id,
    _exchange.exchange_id,
    _exchange.started_us,
    _exchange.state,
    _exchange.status_code,
    _exchange.model,
    _exchange.request_class,
    _exchange.session_id,
    _exchange.title,
    _exchange.input_tokens,
    _exchange.output_tokens,
    _exchange.cost_nano_usd,
    _exchange.is_estimate,
    _exchange.attribution_version,
    _exchange.analysis_error,
)


def read_position(text: str) -> Position | None:
    """Read the text of a position; `None` when it is none."""
    if not re.fullmatch(POSITION_PATTERN, text, re.ASCII):
        return None
    newest, *pending = text.split("-")
    return Position(int(newest), {int(part[:-1]): _LETTERS[part[-1]] for part in pending})


class ChangeReader:
    """Finds out what changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> Position:
        """Return the position of a reader that wants to hear only of what happens from here on."""
        with self._database.read() as connection:
            newest = _newest_id(connection)
            is_recent = _exchange.id > newest - _PAGE
            unfinished = or_(_exchange.state == "open", _is_unanalysed() & is_recent)
            rows = connection.execute(
                select(*_COLUMNS).where(unfinished).order_by(_exchange.id.desc()).limit(_MAX_PENDING)
            ).all()
        pending = {row.id: _reached(row) for row in reversed(rows)}
        return Position(newest, {id_: change for id_, change in pending.items() if change is not Change.ANALYSED})

    def since(self, position: Position) -> Sequence[ExchangeChange]:
        """Return what happened after a position, at most some hundreds of changes; ask again with the last one's position."""
        with self._database.read() as connection:
            newest = min(position.newest_id, _newest_id(connection))
            query = select(*_COLUMNS).where(_exchange.id > newest).order_by(_exchange.id).limit(_PAGE)
            arrived = connection.execute(query).all()
            known = list(position.pending)
            waited_for = connection.execute(select(*_COLUMNS).where(_exchange.id.in_(known))).all() if known else []
        changes: list[ExchangeChange] = []
        gone = set(known) - {row.id for row in waited_for}
        pending = {id_: change for id_, change in position.pending.items() if id_ not in gone}
        for row in [*sorted(waited_for, key=lambda row: row.id), *arrived]:
            for change in _steps(pending.get(row.id), _reached(row)):
                newest = max(newest, row.id)
                pending = _advance(pending, row.id, change)
                changes.append(ExchangeChange(change, row, Position(newest, pending)))
        return changes


_ORDER = (Change.STARTED, Change.FINISHED, Change.ANALYSED)


def _steps(heard: Change | None, reached: Change) -> Sequence[Change]:
    """Return what is to be told, in order."""
    return _ORDER[0 if heard is None else _ORDER.index(heard) + 1 : _ORDER.index(reached) + 1]


def _advance(pending: Mapping[int, Change], id_: int, change: Change) -> dict[int, Change]:
    kept = {other: heard for other, heard in pending.items() if other != id_}
    if change is not Change.ANALYSED:
        kept[id_] = change
    while len(kept) > _MAX_PENDING:
        del kept[min(kept)]
    return kept


def _reached(row: Row[*tuple[Any, ...]]) -> Change:
    if row.state == "open":
        return Change.STARTED
    is_analysed = row.attribution_version is not None or row.analysis_error is not None
    return Change.ANALYSED if is_analysed else Change.FINISHED


def _is_unanalysed() -> ColumnElement[bool]:
    return _exchange.attribution_version.is_(None) & _exchange.analysis_error.is_(None)


def _newest_id(connection: Connection) -> int:
    return connection.scalar(select(func.max(_exchange.id))) or 0
