"""Gathers a report from the store: one range, or one session."""

import time
from importlib.metadata import version

from storage.database import Database
from storage.errors import StorageError
from storage.insights.overview import gather_insights
from storage.insights.reading import TURNS_LOOKED_AT, InsightReader
from storage.ranges import DAY_US, TimeRange
from storage.store import Store
from storage.views import SeriesGroup, SeriesPoint, SessionDetail, SourceOrder, SummaryMetrics, TimeBucket
from tui import format as fmt
from tui.report.contents import SOURCES_SHOWN, Report, amounts_by_kind, amounts_by_zone


class NoSuchSessionError(StorageError):
    """No session has this id."""


def gather_report(database: Database, wanted: TimeRange, session_id: str | None) -> Report:
    """Collect everything a report says.

    Raises:
        NoSuchSessionError: There is no such session.
    """
    store, reader = Store(database), InsightReader(database)
    session = None if session_id is None else _session(store, session_id)
    turns = reader.turns(wanted, session_id, limit=TURNS_LOOKED_AT + 1)
    is_cut = len(turns) > TURNS_LOOKED_AT
    turns = turns[-TURNS_LOOKED_AT:]
    rated = reader.rated_uses(wanted, session_id)
    sources = store.sources.metrics(wanted, session_id=session_id, order=SourceOrder.TOTAL_COST_USD)
    totals = store.sources.summary(wanted) if session is None else _session_totals(session)
    return Report(
        title="Where the context went" if session is None else _session_title(session),
        range_text=_range_text(wanted, session),
        made_us=time.time_ns() // 1000,
        version=version("context-assay"),
        totals=totals,
        by_kind=amounts_by_kind(turns),
        by_zone=amounts_by_zone(turns),
        sources=tuple(sources[:SOURCES_SHOWN]),
        series=() if session is not None else _series(store, totals),
        context_growth=() if session is None else session.context_growth,
        insights=gather_insights(
            turns, rated, since_us=wanted.since_us, until_us=wanted.until_us, session_id=session_id, is_cut=is_cut
        ),
    )


def _session(store: Store, session_id: str) -> SessionDetail:
    session = store.sessions.detail(session_id)
    if session is None:
        raise NoSuchSessionError(f"there is no session {session_id}")
    return session


def _session_title(session: SessionDetail) -> str:
    return session.summary.title or f"Session {session.summary.session_id}"


def _session_totals(session: SessionDetail) -> SummaryMetrics:
    summary = session.summary
    return SummaryMetrics(
        total_requests=summary.requests,
        total_input_tokens=summary.input_tokens,
        total_output_tokens=summary.output_tokens,
        total_cost_nano_usd=summary.cost_nano_usd,
        unpriced_requests=0,
        average_latency_ms=None,
        average_proxy_ms=None,
        feedback_count=0,
        average_rating=None,
        oldest_us=summary.first_us,
        newest_us=summary.last_us,
    )


def _range_text(wanted: TimeRange, session: SessionDetail | None) -> str:
    if session is not None:
        summary = session.summary
        client = fmt.client_name(summary.client_name or "unknown client")
        span = f"{fmt.precise(summary.first_us)} to {fmt.precise(summary.last_us)}"
        return f"Session {summary.session_id} of {client} {summary.client_version or ''}, {span}".replace(" ,", ",")
    since = "the beginning" if wanted.since_us is None else fmt.precise(wanted.since_us)
    return f"All traffic from {since} to {'now' if wanted.until_us is None else fmt.precise(wanted.until_us)}"


def _series(store: Store, totals: SummaryMetrics) -> tuple[SeriesPoint, ...]:
    """Read tokens by kind over the time in which there was traffic."""
    if totals.oldest_us is None or totals.newest_us is None:
        return ()
    span_us = totals.newest_us - totals.oldest_us
    bucket = TimeBucket.DAY if span_us > 3 * DAY_US else TimeBucket.HOUR if span_us > DAY_US // 8 else TimeBucket.MINUTE
    active = TimeRange(totals.oldest_us, totals.newest_us + 1)
    return store.sources.timeseries(active, bucket=bucket, group=SeriesGroup.KIND)
