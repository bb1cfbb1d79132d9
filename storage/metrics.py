"""Totals by source and in all: answered from the roll-ups by day and hour, whatever the number of exchanges.

A time range rarely begins on the hour: whole days and hours come from the roll-ups, and only the rest of the first and the last
hour from the exchanges themselves. It must not scan the exchanges of a range.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, true

from proxy_core.attribution.model import SourceType
from storage.database import Database
from storage.expressions import is_billed, is_counted, sum_billed
from storage.models import (
    ExchangeRollupRow,
    ExchangeRow,
    ExchangeSourceRow,
    FeedbackRow,
    SourceDayRow,
    SourceMonthRow,
    SourceRatingRollupRow,
    SourceRollupRow,
    SourceRow,
)
from storage.ranges import ALL_TIME, DAY_US, HOUR_US, MONTH_US, TimeRange, split_range
from storage.source_uses import count_uses, read_uses
from storage.timeseries import read_series, read_trends
from storage.views import SeriesGroup, SeriesPoint, SourceMetrics, SourceOrder, SourceUse, SummaryMetrics, TimeBucket
from storage.words import read_words

_exchange = ExchangeRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c
_hour = SourceRollupRow.__table__.c
_total = ExchangeRollupRow.__table__.c
_rating = SourceRatingRollupRow.__table__.c
_feedback = FeedbackRow.__table__.c


_FEW = 500
"""Sources that are read by their ids, rather than all there are."""


@dataclass(slots=True)
class _Use:
    exchanges: int = 0
    tokens: int = 0
    cost_nano_usd: int = 0
    priced: int = 0


class SourceReader:
    """Reads what sources and all exchanges came to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def metrics(
        self,
        wanted: TimeRange = ALL_TIME,
        *,
        source_types: Sequence[SourceType] = (),
        source_name: str | None = None,
        session_id: str | None = None,
        order: SourceOrder = SourceOrder.USAGE_COUNT,
        is_descending: bool = True,
        trend_buckets: int = 0,
    ) -> tuple[SourceMetrics, ...]:
        """Return every source that was used in a range (or in one session), sorted.

        Args:
            wanted: The time range.
            source_types: Only these kinds; all when empty.
            source_name: Only the sources of exactly this name.
            session_id: Only their use in this session; ratings stay those of all sessions.
            order: What to sort by; unknown values come last.
            is_descending: Largest first.
            trend_buckets: How many points `SourceMetrics.trend` has at most (days are not divided over a long range); 0: none.
        """
        with self._database.read() as connection:
            uses = _read_uses(connection, wanted, session_id)
            sources = _find_sources(connection, source_types, source_name, list(uses))
            ratings = _ratings_of(sources) if wanted == ALL_TIME else _read_ratings(connection, wanted)
            trends = read_trends(connection, wanted, trend_buckets, session_id) if trend_buckets else {}
        found = [
            _present(row, uses[row.id], ratings.get(row.id, (0, 0.0)), trends.get(row.id, ()))
            for row in sources
            if row.id in uses
        ]
        return tuple(_sort(found, order, is_descending=is_descending))

    def summary(self, wanted: TimeRange = ALL_TIME) -> SummaryMetrics:
        """Return the totals of a range."""
        split = split_range(wanted, HOUR_US)
        with self._database.read() as connection:
            totals: defaultdict[str, int] = defaultdict(int)
            if split.whole is not None:
                _add_up(totals, connection.execute(_rolled_up_totals(split.whole)).one())
            for rest in split.rest:
                _add_up(totals, connection.execute(_counted_totals(rest)).one())
            count, average = connection.execute(_all_ratings(wanted)).one()
            oldest, newest = _first_and_last(connection, wanted)
        return SummaryMetrics(
            total_requests=totals["requests"],
            total_input_tokens=totals["input_tokens"],
            total_output_tokens=totals["output_tokens"],
            total_cost_nano_usd=totals["cost_nano_usd"] if totals["priced"] else None,
            unpriced_requests=totals["unpriced"],
            average_latency_ms=_average_ms(totals["latency_us"], totals["latency_count"]),
            average_proxy_ms=_average_ms(totals["proxy_us"], totals["proxy_count"]),
            feedback_count=count,
            average_rating=average,
            oldest_us=oldest,
            newest_us=newest,
        )

    def timeseries(
        self,
        wanted: TimeRange = ALL_TIME,
        *,
        bucket: TimeBucket = TimeBucket.HOUR,
        group: SeriesGroup = SeriesGroup.KIND,
        top: int = 20,
        now_us: int | None = None,
    ) -> tuple[SeriesPoint, ...]:
        """Return tokens, cost and requests by bucket and group, oldest first; empty buckets are left out.

        Args:
            wanted: The time range, widened to whole buckets. By the minute at most its last day is answered; by the hour
                a range without a beginning is its last week.
            bucket: Width of the buckets.
            group: What the series are.
            top: The series with the most tokens; the others are summed up as `other`.
            now_us: The present, for a range without an end by the minute; `None`: the clock's.
        """
        with self._database.read() as connection:
            return read_series(connection, wanted, bucket, group, top, now_us)

    def uses(
        self,
        *,
        source_type: SourceType | None = None,
        source_name: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[SourceUse]:
        """Return which exchanges sources were in, newest first."""
        with self._database.read() as connection:
            return read_uses(connection, source_type, source_name, limit, offset)

    def count_uses(self, *, source_type: SourceType | None = None, source_name: str | None = None) -> int:
        """Return how many lines `uses` has in all."""
        with self._database.read() as connection:
            return count_uses(connection, source_type, source_name)

    def words(self, field: str, beginning: str, limit: int) -> Sequence[str]:
        """Return values that occur in a field of the filter language, for completion; see `storage.filters.completion`."""
        with self._database.read() as connection:
            return read_words(connection, field, beginning, limit)


def _find_sources(
    connection: Connection, types: Sequence[SourceType], name: str | None, used: Sequence[int]
) -> Sequence[Row[*tuple[Any, ...]]]:
    columns = (_source.id, _source.source_type, _source.source_name, _source.created_us, _source.last_used_us)
    query = select(*columns, _source.feedback_count, _source.rating_sum)
    if types:
        query = query.where(_source.source_type.in_([str(kind) for kind in types]))
    if name is not None:
        query = query.where(_source.source_name == name)
    if len(used) <= _FEW:
        query = query.where(_source.id.in_(used))
    return connection.execute(query).all()


def _read_uses(connection: Connection, wanted: TimeRange, session_id: str | None) -> dict[int, _Use]:
    queries: list[Select[*tuple[Any, ...]]] = []
    pieces: tuple[TimeRange, ...] = (wanted,)
    if session_id is None:
        for width_us, table in ((MONTH_US, SourceMonthRow), (DAY_US, SourceDayRow)):
            splits = [split_range(piece, width_us) for piece in pieces]
            queries += [_rolled_up(table, split.whole) for split in splits if split.whole is not None]
            pieces = tuple(rest for split in splits for rest in split.rest)
    for piece in pieces:
        hours = split_range(piece, HOUR_US)
        queries += [_rolled_up_uses(hours.whole, session_id)] if hours.whole is not None else []
        queries += [_counted_uses(rest, session_id) for rest in hours.rest]
    uses: dict[int, _Use] = {}
    for query in queries:
        for source_id, exchanges, tokens, cost_nano_usd, priced in connection.execute(query):
            use = uses.get(source_id)
            if use is None:
                use = uses[source_id] = _Use()
            use.exchanges += exchanges
            use.tokens += tokens
            use.cost_nano_usd += cost_nano_usd
            use.priced += priced
    return {source_id: use for source_id, use in uses.items() if use.exchanges}


_USE_SUMS = ("exchanges", "tokens", "cost_nano_usd", "priced")


def _rolled_up(table: type[SourceMonthRow | SourceDayRow], wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    columns = table.__table__.c
    sums = (func.sum(columns[name]).label(name) for name in _USE_SUMS)
    return select(columns.source_id, *sums).where(wanted.holds(columns.bucket_us)).group_by(columns.source_id)


def _rolled_up_uses(wanted: TimeRange, session_id: str | None) -> Select[*tuple[Any, ...]]:
    in_session: ColumnElement[bool] = true() if session_id is None else _hour.session_id == session_id
    sums = (func.sum(_hour[name]).label(name) for name in _USE_SUMS)
    return select(_hour.source_id, *sums).where(wanted.holds(_hour.bucket_us), in_session).group_by(_hour.source_id)


def _counted_uses(wanted: TimeRange, session_id: str | None) -> Select[*tuple[Any, ...]]:
    in_session: ColumnElement[bool] = true() if session_id is None else _exchange.session_id == session_id
    return (
        select(
            _use.source_id,
            func.count().label("exchanges"),
            sum_billed(_use.tokens).label("tokens"),
            func.coalesce(func.sum(_use.cost_nano_usd), 0).label("cost_nano_usd"),
            func.count(_use.cost_nano_usd).label("priced"),
        )
        .join(ExchangeRow.__table__, _exchange.id == _use.exchange_id)
        .where(wanted.holds(_exchange.started_us), in_session)
        .group_by(_use.source_id)
    )


def _ratings_of(sources: Iterable[Row[*tuple[Any, ...]]]) -> dict[int, tuple[int, float]]:
    return {row.id: (row.feedback_count, row.rating_sum) for row in sources}


def _read_ratings(connection: Connection, wanted: TimeRange) -> dict[int, tuple[int, float]]:
    split = split_range(wanted, DAY_US)
    queries: list[Select[*tuple[Any, ...]]] = []
    if split.whole is not None:
        queries.append(
            select(_rating.source_id, func.sum(_rating.feedback_count), func.sum(_rating.rating_sum))
            .where(split.whole.holds(_rating.bucket_us))
            .group_by(_rating.source_id)
        )
    queries += [
        select(_use.source_id, func.count(), func.sum(_feedback.rating))
        .join(FeedbackRow.__table__, _feedback.exchange_id == _use.exchange_id)
        .join(ExchangeRow.__table__, _exchange.id == _use.exchange_id)
        .where(rest.holds(_exchange.started_us))
        .group_by(_use.source_id)
        for rest in split.rest
    ]
    ratings: dict[int, tuple[int, float]] = {}
    for query in queries:
        for source_id, count, total in connection.execute(query):
            before = ratings.get(source_id, (0, 0.0))
            ratings[source_id] = (before[0] + count, before[1] + total)
    return ratings


def _present(row: Row[*tuple[Any, ...]], use: _Use, rating: tuple[int, float], trend: tuple[int, ...]) -> SourceMetrics:
    source_id, source_type, source_name, created_us, last_used_us = row[:5]
    count, total = rating
    return SourceMetrics(
        source_id=source_id,
        source_type=_TYPES[source_type],
        source_name=source_name or None,
        usage_count=use.exchanges,
        total_tokens=use.tokens,
        average_tokens=use.tokens / use.exchanges,
        total_cost_nano_usd=use.cost_nano_usd if use.priced else None,
        feedback_count=count,
        average_rating=max(-1.0, min(1.0, total / count)) if count else None,
        last_used_us=last_used_us,
        created_us=created_us,
        trend=trend,
    )


_TYPES = {kind.value: kind for kind in SourceType}


def _sort(found: list[SourceMetrics], order: SourceOrder, *, is_descending: bool) -> Iterable[SourceMetrics]:
    """Sort by a figure, then by name; sources without the figure come last either way."""
    figure = _FIGURES[order]
    found.sort(key=lambda source: (source.source_type, source.source_name or ""))
    known = [source for source in found if figure(source) is not None]
    known.sort(key=figure, reverse=is_descending)
    return [*known, *(source for source in found if figure(source) is None)]


_FIGURES: dict[SourceOrder, Callable[[SourceMetrics], Any]] = {
    SourceOrder.USAGE_COUNT: attrgetter("usage_count"),
    SourceOrder.TOTAL_TOKENS: attrgetter("total_tokens"),
    SourceOrder.AVERAGE_TOKENS: attrgetter("average_tokens"),
    SourceOrder.TOTAL_COST_USD: attrgetter("total_cost_nano_usd"),
    SourceOrder.AVERAGE_RATING: attrgetter("average_rating"),
    SourceOrder.LAST_USED: attrgetter("last_used_us"),
}


_SUMS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cost_nano_usd",
    "priced",
    "unpriced",
    "latency_us",
    "latency_count",
    "proxy_us",
    "proxy_count",
)


def _rolled_up_totals(wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    return select(*(func.sum(_total[name]).label(name) for name in _SUMS)).where(wanted.holds(_total.bucket_us))


def _counted_totals(wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    return select(
        func.count().label("requests"),
        sum_billed(_exchange.input_tokens).label("input_tokens"),
        sum_billed(_exchange.output_tokens).label("output_tokens"),
        func.sum(_exchange.cost_nano_usd).label("cost_nano_usd"),
        func.count(_exchange.cost_nano_usd).label("priced"),
        func.count().filter(is_billed(), _exchange.cost_nano_usd.is_(None)).label("unpriced"),
        func.sum(_exchange.latency_us).label("latency_us"),
        func.count(_exchange.latency_us).label("latency_count"),
        func.sum(_exchange.proxy_us).label("proxy_us"),
        func.count(_exchange.proxy_us).label("proxy_count"),
    ).where(wanted.holds(_exchange.started_us), is_counted())


def _add_up(totals: defaultdict[str, int], row: Row[*tuple[Any, ...]]) -> None:
    for name, value in row._mapping.items():  # noqa: SLF001 - SQLAlchemy's public name for it
        totals[name] += value or 0


def _all_ratings(wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    """Count by the copies of the ratings that the exchanges have: an index holds them by time."""
    is_rated = _exchange.rating.is_not(None)
    return select(func.count(), func.avg(_exchange.rating)).where(is_rated, wanted.holds(_exchange.started_us))


def _first_and_last(connection: Connection, wanted: TimeRange) -> tuple[int | None, int | None]:
    """Each end by itself: only then an index answers."""
    return (
        connection.scalar(select(func.min(_exchange.started_us)).where(wanted.holds(_exchange.started_us))),
        connection.scalar(select(func.max(_exchange.started_us)).where(wanted.holds(_exchange.started_us))),
    )


def _average_ms(total_us: int, count: int) -> float | None:
    return total_us / count / 1000 if count else None
