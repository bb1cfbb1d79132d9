"""Stored exchanges analysed again: rules or prices have changed. Needs what was kept of their bodies."""

from collections.abc import Callable, Sequence

from sqlalchemy import func, select

from proxy_core.attribution.model import ATTRIBUTION_VERSION
from proxy_core.exchange import ExchangeState, Side
from storage import models, totals
from storage.analysing import Analyst
from storage.bodies import SIDES
from storage.database import Database

_EXCHANGES = models.ExchangeRow.__table__
_BODIES = models.BodyRow.__table__
_TEXTLESS = select(_BODIES.c.exchange_id).where(_BODIES.c.side == SIDES[Side.REQUEST], _BODIES.c.manifest.is_(None))


def count_textless(database: Database, since_us: int = 0) -> int:
    """Count the exchanges whose request was not kept: `reanalyze` leaves them as they are."""
    query = select(func.count()).where(_EXCHANGES.c.started_us >= since_us, _EXCHANGES.c.id.in_(_TEXTLESS))
    with database.read() as connection:
        return connection.execute(query).scalar_one()


def reanalyze(
    database: Database,
    *,
    since_us: int = 0,
    is_forced: bool = False,
    price_file: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    analyst: Analyst | None = None,
) -> tuple[int, int]:
    """Analyse stored exchanges again, oldest first, and sum up all totals anew.

    Args:
        database: Where they are.
        since_us: Only those that started at this time or later.
        is_forced: Also those that this version has analysed already (prices may have changed).
        price_file: The user's price list.
        progress: Called with (done, total) after each.
        analyst: Who does the work; made, and closed at the end, when left out.

    Returns:
        How many were analysed, and how many could not be.
    """
    row_ids = _find(database, since_us, is_forced=is_forced)
    worker = analyst or Analyst.over(database, price_file)
    failed = 0
    try:
        for done, row_id in enumerate(row_ids, 1):
            worker.analyse(row_id, has_ended=True)
            failed += worker.error is not None
            if progress:
                progress(done, len(row_ids))
    finally:
        if analyst is None:
            worker.close()
    if row_ids:
        with database.write() as connection:
            totals.recompute(connection)
    return len(row_ids) - failed, failed


def _find(database: Database, since_us: int, *, is_forced: bool) -> Sequence[int]:
    query = select(_EXCHANGES.c.id).where(_EXCHANGES.c.started_us >= since_us, _EXCHANGES.c.state != ExchangeState.OPEN)
    # Without its bytes an exchange would lose the attribution it has.
    query = query.where(_EXCHANGES.c.id.not_in(_TEXTLESS))
    if not is_forced:
        is_current = _EXCHANGES.c.attribution_version == ATTRIBUTION_VERSION
        query = query.where(_EXCHANGES.c.is_pending | is_current.is_not(True))
    with database.read() as connection:
        return connection.execute(query.order_by(_EXCHANGES.c.id)).scalars().all()
