"""Tables of sums: by minute, hour, day and month, of all time, by session and rating. They outlive what they were summed from.

All but `facet`: that counts the exchanges which are there.

Imported through `storage.models`, whose conventions hold here too.
"""

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field

from storage.model_base import NO_ROWID, Row, wide


class SourceRollupRow(Row, table=True):
    """`exchange_source` by hour, source and session; outlives the exchanges."""

    __tablename__ = "source_rollup"
    __table_args__ = (Index("ix_source_rollup_session", "session_id", "source_id"), NO_ROWID)
    bucket_us: int = wide(primary_key=True)
    """Start of the hour."""
    source_id: int = Field(primary_key=True)
    session_id: str = Field(primary_key=True)
    """Empty: none."""
    exchanges: int = 0
    tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    """Exchanges among them that have a price; 0: the cost is unknown."""


class SourceDayRow(Row, table=True):
    """`source_rollup` by day and source: totals over long ranges read a day as one row."""

    __tablename__ = "source_day"
    __table_args__ = (NO_ROWID,)
    bucket_us: int = wide(primary_key=True)
    """Start of the day."""
    source_id: int = Field(primary_key=True)
    exchanges: int = 0
    tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    """As in `source_rollup`."""


class SourceMonthRow(Row, table=True):
    """`source_day` by thirty days and source: years are a few rows of each."""

    __tablename__ = "source_month"
    __table_args__ = (NO_ROWID,)
    bucket_us: int = wide(primary_key=True)
    """Start of the thirty days, counted from the epoch."""
    source_id: int = Field(primary_key=True)
    exchanges: int = 0
    tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    """As in `source_rollup`."""


class SourceTotalRow(Row, table=True):
    """`source_month` by source: what each came to in all."""

    __tablename__ = "source_total"
    __table_args__ = (NO_ROWID,)
    source_id: int = Field(primary_key=True)
    exchanges: int = 0
    tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    """As in `source_rollup`."""


class KindRollupRow(Row, table=True):
    """`exchange_source` by minute, by hour and by day, for each kind of source: what charts draw."""

    __tablename__ = "kind_rollup"
    __table_args__ = (NO_ROWID,)
    width_us: int = wide(primary_key=True)
    """Of the bucket: a minute, an hour or a day."""
    bucket_us: int = wide(primary_key=True)
    """Its start."""
    source_type: str = Field(primary_key=True)
    exchanges: int = 0
    """Uses: an exchange counts for each of its sources."""
    tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    """As in `source_rollup`."""


class FacetRow(Row, table=True):
    """What many exchanges have in common, stored once: filters look at these few rows instead of at each exchange."""

    __tablename__ = "facet"
    id: int | None = Field(default=None, primary_key=True)
    hash: bytes = Field(unique=True, sa_type=LargeBinary)
    """16 bytes of BLAKE2b over all that follows but the count."""
    state: str
    mode: str
    method: str
    host: str
    path: str
    status_code: int | None
    has_error: bool
    """`exchange.error` is known."""
    error_type: str | None
    client_name: str | None
    client_version: str | None
    model: str | None
    request_class: str | None
    agent_type: str | None
    is_streaming: bool
    is_estimate: bool
    kinds: int
    """Kinds of the sources in the request: the bits of their codes in `storage.spectrum`."""
    exchanges: int = 0
    """How many there are now."""


class ExchangeRollupRow(Row, table=True):
    """Finished exchanges by hour, model and class; outlives them."""

    __tablename__ = "exchange_rollup"
    __table_args__ = (NO_ROWID,)
    bucket_us: int = wide(primary_key=True)
    """Start of the hour."""
    model: str = Field(primary_key=True)
    """Empty: unknown."""
    request_class: str = Field(primary_key=True)
    """Empty: not analysed."""
    requests: int = 0
    errors: int = 0
    """Failed, interrupted, or status 400 and above."""
    input_tokens: int = wide(default=0)
    cache_read_tokens: int = wide(default=0)
    cache_write_5m_tokens: int = wide(default=0)
    cache_write_1h_tokens: int = wide(default=0)
    fresh_tokens: int = wide(default=0)
    output_tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    unpriced: int = 0
    """Analysed calls with tokens but without a known price."""
    latency_us: int = wide(default=0)
    """Sum over `latency_count`."""
    latency_count: int = 0
    proxy_us: int = wide(default=0)
    """Sum over `proxy_count`."""
    proxy_count: int = 0


class SessionRow(Row, table=True):
    """One client session, summed up."""

    __tablename__ = "session"
    __table_args__ = (NO_ROWID,)
    session_id: str = Field(primary_key=True)
    first_us: int = wide()
    last_us: int = wide(index=True)
    client_name: str | None
    client_version: str | None
    title: str | None
    """Of the earliest main request that has one."""
    title_us: int | None = wide()
    """Start of that request."""
    requests: int = 0
    errors: int = 0
    compactions: int = 0
    input_tokens: int = wide(default=0)
    output_tokens: int = wide(default=0)
    cache_read_tokens: int = wide(default=0)
    cost_nano_usd: int = wide(default=0)
    priced: int = 0
    """Exchanges among them that have a price; 0: the cost is unknown."""
    last_main_us: int | None = wide()
    """Start of the newest main request."""
    last_context_tokens: int | None
    """Its input tokens."""


class SessionMemberRow(Row, table=True):
    """What occurs in a session and how often: its prompts, agents and models; their number is a count of rows."""

    __tablename__ = "session_member"
    __table_args__ = (Index("ix_session_member_value", "kind", "value"), NO_ROWID)
    session_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    """`prompt`, `agent` or `model`."""
    value: str = Field(primary_key=True)
    exchanges: int = 0


class SourceRatingRollupRow(Row, table=True):
    """Ratings by day and source; outlives the exchanges."""

    __tablename__ = "source_rating_rollup"
    __table_args__ = (NO_ROWID,)
    bucket_us: int = wide(primary_key=True)
    """Start of the day (of the exchange)."""
    source_id: int = Field(primary_key=True)
    feedback_count: int = 0
    rating_sum: float = 0.0
