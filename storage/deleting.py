"""Deletes exchanges with everything that is theirs alone. Roll-ups, sources, sessions and ratings' sums outlive them."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from storage import facets, models, rollups, texts
from storage.segment_uses import SegmentUses
from storage.stored_attributions import load_contents

_EXCHANGES = models.ExchangeRow.__table__
_BY_EXCHANGE = (
    models.BodyRow.__table__,
    models.JournalRow.__table__,
    models.ExchangeSourceRow.__table__,
    models.FeedbackRow.__table__,
)
_BY_ID = (models.ExchangeHeadRow.__table__, models.AttributionRow.__table__, _EXCHANGES)


def delete_exchanges(connection: Connection, row_ids: Sequence[int]) -> None:
    """Delete exchanges inside the caller's transaction; what they shared with others stays until the next sweep."""
    if not row_ids:
        return
    newest_us = connection.execute(select(func.max(_EXCHANGES.c.started_us)).where(_EXCHANGES.c.id.in_(row_ids))).scalar()
    uses = SegmentUses()
    for row_id in row_ids:
        texts.unindex(connection, row_id)
        uses.replace(connection, row_id, load_contents(connection, row_id), ())
    facets.forget(connection, row_ids)
    for table in _BY_EXCHANGE:
        connection.execute(table.delete().where(table.c.exchange_id.in_(row_ids)))
    for table in _BY_ID:
        connection.execute(table.delete().where(table.c.id.in_(row_ids)))
    if newest_us is not None:
        rollups.raise_floor(connection, newest_us)


def drop_bodies(connection: Connection, row_id: int) -> None:
    """Drop the bytes of an exchange's bodies; what is known of them stays."""
    bodies = models.BodyRow.__table__
    connection.execute(bodies.update().where(bodies.c.exchange_id == row_id).values(manifest=None))
