"""What ratings come to for each source, in all and by day. The one place that writes these sums.

Whoever changes a rating, or replaces the sources of a rated exchange, takes away before and adds after, in one
transaction: then the sums equal `recount_ratings` at every moment.
"""

import math

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select, update

from storage.models import ExchangeRow, ExchangeSourceRow, FeedbackRow, SourceRatingRollupRow, SourceRow
from storage.ranges import DAY_US
from storage.upserts import add_amounts

_exchange = ExchangeRow.__table__.c
_feedback = FeedbackRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c
_rollup = SourceRatingRollupRow.__table__.c


def add_to_sources(connection: Connection, exchange: int) -> None:
    """Count an exchange's rating for each of its sources; does nothing for an exchange without a rating."""
    _count_rating(connection, exchange, 1)


def take_from_sources(connection: Connection, exchange: int) -> None:
    """Undo `add_to_sources`; the rating and the sources must still be those that were added."""
    _count_rating(connection, exchange, -1)


def _count_rating(connection: Connection, exchange: int, sign: int) -> None:
    row = connection.execute(
        select(_feedback.rating, _exchange.started_us)
        .join(ExchangeRow.__table__, _exchange.id == _feedback.exchange_id)
        .where(_feedback.exchange_id == exchange)
    ).one_or_none()
    if row is None:
        return
    source_ids = connection.scalars(select(_use.source_id).where(_use.exchange_id == exchange)).all()
    bucket_us = row.started_us // DAY_US * DAY_US
    amounts = {"feedback_count": sign, "rating_sum": sign * row.rating}
    is_source = _source.id.in_(source_ids)
    connection.execute(
        update(SourceRow.__table__).where(is_source).values({name: _source[name] + amount for name, amount in amounts.items()})
    )
    days = [{"bucket_us": bucket_us, "source_id": source_id, **amounts} for source_id in source_ids]
    add_amounts(connection, SourceRatingRollupRow.__table__, days)
    if sign < 0:
        _clear_residue(connection, SourceRow.__table__, is_source)
        _clear_residue(connection, SourceRatingRollupRow.__table__, _rollup.source_id.in_(source_ids))


def _clear_residue(connection: Connection, table: Table, where: ColumnElement[bool]) -> None:
    """Where no rating is left the sum is 0 exactly, whatever the rounding of binary fractions left over."""
    connection.execute(update(table).where(where, table.c.feedback_count == 0).values(rating_sum=0.0))


def recount_ratings(connection: Connection) -> None:
    """Compute all aggregates of ratings from scratch, for repair and for tests."""
    rated = (
        select(_use.source_id, _exchange.started_us, _feedback.rating)
        .join(ExchangeRow.__table__, _exchange.id == _use.exchange_id)
        .join(FeedbackRow.__table__, _feedback.exchange_id == _exchange.id)
    )
    rows = connection.execute(rated).all()
    connection.execute(update(SourceRow.__table__).values(feedback_count=0, rating_sum=0.0))
    connection.execute(delete(SourceRatingRollupRow.__table__))
    by_source: dict[int, list[float]] = {}
    by_day: dict[tuple[int, int], list[float]] = {}
    for source_id, started_us, rating in rows:
        by_source.setdefault(source_id, []).append(rating)
        by_day.setdefault((started_us // DAY_US * DAY_US, source_id), []).append(rating)
    for source_id, ratings in by_source.items():
        connection.execute(
            update(SourceRow.__table__)
            .where(_source.id == source_id)
            .values(feedback_count=len(ratings), rating_sum=math.fsum(ratings))
        )
    for (bucket_us, source_id), ratings in by_day.items():
        connection.execute(
            insert(SourceRatingRollupRow.__table__).values(
                bucket_us=bucket_us, source_id=source_id, feedback_count=len(ratings), rating_sum=math.fsum(ratings)
            )
        )
