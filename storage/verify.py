"""Proves the database: every body rebuilt byte for byte, every head and attribution readable, every page sound. Reads only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from proxy_core.exchange import Side
from storage import bodies, models, sqlite
from storage.database import Database
from storage.errors import BodyCorruptError
from storage.heads import read_head
from storage.pieces import PieceCache
from storage.stored_attributions import load

_EXCHANGES = models.ExchangeRow.__table__
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it was stored."""

    exchange_id: str
    what: str
    """One line, for people."""


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What a proof came to."""

    exchanges: int = 0
    proved: int = 0
    """Bodies whose rebuilt bytes have the SHA-256 of the wire's."""
    redacted: int = 0
    """Bodies whose rebuilt bytes have the SHA-256 of what was kept: secrets were replaced, or bytes were missing."""
    dropped: int = 0
    """Bodies whose bytes are not kept any more."""
    checked_bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    """What the database engine says about its own file."""

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong."""
        return not self.problems and not self.damage


def verify_database(database: Database, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Check everything.

    Args:
        database: What to check; it may be written to meanwhile.
        progress: Called with (exchanges done, exchanges in all) now and then.
    """
    report = VerifyReport()
    cache = PieceCache()
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(_EXCHANGES)).scalar_one()
        report.damage = sqlite.find_damage(connection)
    for row_ids in _slices(database):
        with database.read() as connection:
            for row_id, exchange_id in row_ids:
                _check(connection, report, row_id, exchange_id, cache)
        if progress:
            progress(report.exchanges, max(total, report.exchanges))
    return report


def _slices(database: Database) -> Iterator[list[tuple[int, str]]]:
    last = 0
    while True:
        query = select(_EXCHANGES.c.id, _EXCHANGES.c.exchange_id).where(_EXCHANGES.c.id > last)
        with database.read() as connection:
            rows = connection.execute(query.order_by(_EXCHANGES.c.id).limit(_AT_ONCE)).all()
        if not rows:
            return
        last = rows[-1].id
        yield [(row.id, row.exchange_id) for row in rows]


def _check(connection: Connection, report: VerifyReport, row_id: int, exchange_id: str, cache: PieceCache) -> None:
    report.exchanges += 1
    facts = bodies.read_facts(connection, row_id)
    for side in Side:
        if side in facts:
            _check_body(connection, report, (row_id, exchange_id), side, cache)
    for what, read in (("heads", read_head), ("attribution", load)):
        try:
            read(connection, row_id)
        except BodyCorruptError as error:
            report.problems.append(Problem(exchange_id=exchange_id, what=f"{what}: {error}"))


def _check_body(connection: Connection, report: VerifyReport, exchange: tuple[int, str], side: Side, cache: PieceCache) -> None:
    row_id, exchange_id = exchange
    check = bodies.check_body(connection, row_id, side, cache)
    if check is None:
        report.dropped += 1
        return
    report.checked_bytes += check.checked_bytes
    if check.problem is not None:
        report.problems.append(Problem(exchange_id=exchange_id, what=f"{side} body: {check.problem}"))
    elif check.is_wire:
        report.proved += 1
    else:
        report.redacted += 1
