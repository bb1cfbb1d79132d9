"""Totals by source and in all: answered from the roll-ups, whatever the number of exchanges.

A time range rarely begins on the hour: whole days and hours come from the roll-ups, and only the rest of the first and the last
hour from the exchanges themselves. It must not scan the exchanges of a range.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, false, func, literal_column, select, true, union_all

from proxy_core.attribution.model import SourceType
from storage import tables
from storage.database import Database
from storage.expressions import BOUNDS, is_billed, is_counted, is_within, sum_billed
from storage.models import (
    ExchangeRow,
    FeedbackRow,
    SourceDayRow,
    SourceMonthRow,
)
from storage.quick_views import maker
from storage.ranges import ALL_TIME, DAY_US, HOUR_US, MONTH_US, TimeRange, split_range
from storage.source_uses import count_uses, read_uses
from storage.statements import Prepared
from storage.timeseries import read_series, read_trends
from storage.views import SeriesGroup, SeriesPoint, SourceMetrics, SourceOrder, SourceUse, SummaryMetrics, TimeBucket
from storage.words import read_words

type _Used = Sequence[Any]
"""`_SOURCE_COLUMNS` and `_USE_SUMS` of one source."""
type _Figure = Callable[[_Used], Any]
"""What sources are sorted by; it may be unknown."""
type _Ratings = tuple[int, float]
"""Their number and sum."""
_UNRATED: _Ratings = (0, 0.0)


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
        limit: int | None = None,
    ) -> tuple[SourceMetrics, ...]:
        """Return every source that was used in a range (or in one session), sorted.

        Args:
            wanted: The time range.
            source_types: Only these kinds; all when empty.
            source_name: Only the sources of exactly this name.
            session_id: Only their use in this session; ratings stay those of all sessions.
            order: What to sort by; unknown values come last.
            is_descending: Largest first.
            limit: At most so many; `None`: all.
        """
        with self._database.read() as connection:
            if (wanted, session_id, source_types, source_name) == _ALL:
                used = _EVER_USED.fetch_bare(connection, {})
            else:
                used = connection.execute(_used_sources(wanted, session_id, source_types, source_name)).all()
            ratings = _ratings_of(used) if wanted == ALL_TIME else _read_ratings(connection, wanted)
        chosen = _sort(used, ratings, order, is_descending=is_descending)[:limit]
        return tuple(_present(chosen, ratings))

    def trends(
        self, source_ids: Sequence[int], wanted: TimeRange = ALL_TIME, *, most_parts: int = 16
    ) -> Mapping[int, Sequence[int]]:
        """Return sources' tokens over a range, by source id: in equal parts, oldest first.

        Args:
            source_ids: Which sources; few, as many as are looked at.
            wanted: The time range, widened to the whole hours, days or months that its parts are made up of.
            most_parts: How many parts it has at most.
        """
        with self._database.read() as connection:
            return read_trends(connection, source_ids, wanted, most_parts)

    def summary(self, wanted: TimeRange = ALL_TIME) -> SummaryMetrics:
        """Return the totals of a range."""
        split = split_range(wanted, HOUR_US)
        with self._database.read() as connection:
            totals: defaultdict[str, int] = defaultdict(int)
            if split.whole is not None:
                _add_up(totals, _ROLLED_UP_TOTALS.fetch_bare(connection, split.whole.bounds)[0])
            for rest in split.rest:
                _add_up(totals, connection.execute(_counted_totals(rest)).one())
            ((count, average),) = _ALL_RATINGS.fetch_bare(connection, wanted.bounds)
            ((oldest,),) = _FIRST.fetch_bare(connection, wanted.bounds)
            ((newest,),) = _LAST.fetch_bare(connection, wanted.bounds)
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


def _used_sources(
    wanted: TimeRange, session_id: str | None, types: Sequence[SourceType], name: str | None
) -> Select[*tuple[Any, ...]]:
    """Sum up what sources came to in a range: each with its own columns, then the sums."""
    parts = _parts(wanted, session_id)
    if len(parts) == 1:
        uses = parts[0].subquery()
    else:
        every = union_all(*parts).subquery() if parts else _rolled_up(SourceDayRow, wanted).where(false()).subquery()
        sums = (func.sum(every.c[column]).label(column) for column in _USE_SUMS)
        uses = select(every.c.source_id, *sums).group_by(every.c.source_id).subquery()
    query = select(*_SOURCE_COLUMNS, *(uses.c[column] for column in _USE_SUMS)).join(uses, uses.c.source_id == tables.source.id)
    if types:
        query = query.where(tables.source.source_type.in_([str(kind) for kind in types]))
    if name is not None:
        query = query.where(tables.source.source_name == name)
    return query.where(uses.c.exchanges > literal_column("0"))


def _parts(wanted: TimeRange, session_id: str | None) -> list[Select[*tuple[Any, ...]]]:
    """Cut a range into what months, days and hours answer, and what has to be counted; each sums up by source."""
    if session_id is None and wanted == ALL_TIME:
        return [select(tables.ever.source_id, *(tables.ever[name] for name in _USE_SUMS))]
    parts: list[Select[*tuple[Any, ...]]] = []
    pieces: tuple[TimeRange, ...] = (wanted,)
    if session_id is None:
        for width_us, table in ((MONTH_US, SourceMonthRow), (DAY_US, SourceDayRow)):
            splits = [split_range(piece, width_us) for piece in pieces]
            parts += [_rolled_up(table, split.whole) for split in splits if split.whole is not None]
            pieces = tuple(rest for split in splits for rest in split.rest)
    for piece in pieces:
        hours = split_range(piece, HOUR_US)
        parts += [_rolled_up_uses(hours.whole, session_id)] if hours.whole is not None else []
        parts += [_counted_uses(rest, session_id) for rest in hours.rest]
    return parts


_SOURCE_COLUMNS = (
    tables.source.id,
    tables.source.source_type,
    tables.source.source_name,
    tables.source.created_us,
    tables.source.last_used_us,
    tables.source.feedback_count,
    tables.source.rating_sum,
)
_USE_SUMS = ("exchanges", "tokens", "cost_nano_usd", "priced")
_ALL = (ALL_TIME, None, (), None)
"""Asked for most, and most is found then."""


def _rolled_up(table: type[SourceMonthRow | SourceDayRow], wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    columns = table.__table__.c
    sums = (func.sum(columns[name]).label(name) for name in _USE_SUMS)
    return select(columns.source_id, *sums).where(wanted.holds(columns.bucket_us)).group_by(columns.source_id)


def _rolled_up_uses(wanted: TimeRange, session_id: str | None) -> Select[*tuple[Any, ...]]:
    in_session: ColumnElement[bool] = true() if session_id is None else tables.hour.session_id == session_id
    sums = (func.sum(tables.hour[name]).label(name) for name in _USE_SUMS)
    return (
        select(tables.hour.source_id, *sums)
        .where(wanted.holds(tables.hour.bucket_us), in_session)
        .group_by(tables.hour.source_id)
    )


def _counted_uses(wanted: TimeRange, session_id: str | None) -> Select[*tuple[Any, ...]]:
    in_session: ColumnElement[bool] = true() if session_id is None else tables.exchange.session_id == session_id
    return (
        select(
            tables.use.source_id,
            func.count().label("exchanges"),
            sum_billed(tables.use.tokens).label("tokens"),
            func.coalesce(func.sum(tables.use.cost_nano_usd), 0).label("cost_nano_usd"),
            func.count(tables.use.cost_nano_usd).label("priced"),
        )
        .join(ExchangeRow.__table__, tables.exchange.id == tables.use.exchange_id)
        .where(wanted.holds(tables.exchange.started_us), in_session)
        .group_by(tables.use.source_id)
    )


_EVER_USED = Prepared(_used_sources(*_ALL), ())


def _ratings_of(used: Iterable[_Used]) -> dict[int, _Ratings]:
    return {row[0]: (row[5], row[6]) for row in used if row[5]}


def _read_ratings(connection: Connection, wanted: TimeRange) -> dict[int, _Ratings]:
    split = split_range(wanted, DAY_US)
    queries: list[Select[*tuple[Any, ...]]] = []
    if split.whole is not None:
        queries.append(
            select(tables.rating.source_id, func.sum(tables.rating.feedback_count), func.sum(tables.rating.rating_sum))
            .where(split.whole.holds(tables.rating.bucket_us))
            .group_by(tables.rating.source_id)
        )
    queries += [
        select(tables.use.source_id, func.count(), func.sum(tables.feedback.rating))
        .join(FeedbackRow.__table__, tables.feedback.exchange_id == tables.use.exchange_id)
        .join(ExchangeRow.__table__, tables.exchange.id == tables.use.exchange_id)
        .where(rest.holds(tables.exchange.started_us))
        .group_by(tables.use.source_id)
        for rest in split.rest
    ]
    ratings: dict[int, _Ratings] = {}
    for query in queries:
        for source_id, count, total in connection.execute(query).all():
            before = ratings.get(source_id, _UNRATED)
            ratings[source_id] = (before[0] + count, before[1] + total)
    return ratings


def _present(used: Iterable[_Used], ratings: Mapping[int, _Ratings]) -> list[SourceMetrics]:
    # Thousands: a function for each source would take as long as reading it.
    views = []
    for source_id, source_type, source_name, created_us, last_used_us, _, _, exchanges, tokens, cost_nano_usd, priced in used:
        rated = ratings.get(source_id, _UNRATED)
        values = (
            source_id,
            _TYPES[source_type],
            source_name or None,
            exchanges,
            tokens,
            tokens / exchanges,
            cost_nano_usd if priced else None,
            rated[0],
            _average_rating(rated) if rated[0] else None,
            last_used_us,
            created_us,
        )
        views.append(_make_metrics(values))
    return views


def _average_rating(ratings: _Ratings) -> float | None:
    count, total = ratings
    return max(-1.0, min(1.0, total / count)) if count else None


_make_metrics = maker(SourceMetrics)
_TYPES = {kind.value: kind for kind in SourceType}


def _sort(
    used: Sequence[_Used], ratings: Mapping[int, _Ratings], order: SourceOrder, *, is_descending: bool
) -> Sequence[_Used]:
    """Sort by a figure, then by name; sources without the figure come last either way."""
    figure: _Figure = _FIGURES.get(order) or (lambda row: _average_rating(ratings.get(row[0], _UNRATED)))
    # One key after the other, the last one first: thousands of pairs take three times as long to compare.
    ordered = sorted(used, key=itemgetter(2))
    ordered.sort(key=itemgetter(1))
    unknown = [row for row in ordered if figure(row) is None]
    known = [row for row in ordered if figure(row) is not None] if unknown else ordered
    known.sort(key=figure, reverse=is_descending)
    return [*known, *unknown]


_FIGURES: Mapping[SourceOrder, _Figure] = {
    SourceOrder.USAGE_COUNT: itemgetter(7),
    SourceOrder.TOTAL_TOKENS: itemgetter(8),
    SourceOrder.AVERAGE_TOKENS: lambda row: row[8] / row[7],
    SourceOrder.TOTAL_COST_USD: lambda row: row[9] if row[10] else None,
    SourceOrder.LAST_USED: itemgetter(4),
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


_ROLLED_UP_TOTALS = Prepared(
    select(*(func.sum(tables.total[name]).label(name) for name in _SUMS)).where(*is_within(tables.total.bucket_us)), BOUNDS
)


def _counted_totals(wanted: TimeRange) -> Select[*tuple[Any, ...]]:
    return select(
        func.count().label("requests"),
        sum_billed(tables.exchange.input_tokens).label("input_tokens"),
        sum_billed(tables.exchange.output_tokens).label("output_tokens"),
        func.sum(tables.exchange.cost_nano_usd).label("cost_nano_usd"),
        func.count(tables.exchange.cost_nano_usd).label("priced"),
        func.count().filter(is_billed(), tables.exchange.cost_nano_usd.is_(None)).label("unpriced"),
        func.sum(tables.exchange.latency_us).label("latency_us"),
        func.count(tables.exchange.latency_us).label("latency_count"),
        func.sum(tables.exchange.proxy_us).label("proxy_us"),
        func.count(tables.exchange.proxy_us).label("proxy_count"),
    ).where(wanted.holds(tables.exchange.started_us), is_counted())


def _add_up(totals: defaultdict[str, int], sums: Sequence[int | None]) -> None:
    for name, value in zip(_SUMS, sums, strict=True):
        totals[name] += value or 0


# By the copies of the ratings that the exchanges have: an index holds them by time.
_ALL_RATINGS = Prepared(
    select(func.count().label("count"), func.avg(tables.exchange.rating).label("average")).where(
        tables.exchange.rating.is_not(None), *is_within(tables.exchange.started_us)
    ),
    BOUNDS,
)
# Each end by itself: only then an index answers.
_FIRST, _LAST = (
    Prepared(select(end(tables.exchange.started_us).label("at_us")).where(*is_within(tables.exchange.started_us)), BOUNDS)
    for end in (func.min, func.max)
)


def _average_ms(total_us: int, count: int) -> float | None:
    return total_us / count / 1000 if count else None
