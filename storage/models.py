"""All tables. SQLModel defines the schema and serves reads; writing goes through Core statements on `Row.__table__`.

Those of sums stand in `storage.total_models`. No logic here, and no SQL that only SQLite knows (`sqlite_with_rowid` is a hint
that other databases ignore). Times are microseconds since the epoch, UTC; money is 1e-9 dollars. Texts that may be unknown are
NULL; where they are part of a key they are empty instead, since NULL is never equal to itself.
"""

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from storage.model_base import NO_ROWID, Row, wide
from storage.total_models import (
    ExchangeRollupRow,
    FacetRow,
    KindRollupRow,
    SessionMemberRow,
    SessionRow,
    SourceDayRow,
    SourceMonthRow,
    SourceRatingRollupRow,
    SourceRollupRow,
    SourceTotalRow,
)

__all__ = [
    "AttributionRow",
    "BodyRow",
    "ExchangeHeadRow",
    "ExchangeRollupRow",
    "ExchangeRow",
    "ExchangeSourceRow",
    "FacetRow",
    "FeedbackRow",
    "JournalRow",
    "KindRollupRow",
    "LearnedOverheadRow",
    "LoosePieceRow",
    "MarkRow",
    "PieceRow",
    "Row",
    "SavedFilterRow",
    "SchemaVersionRow",
    "SegmentUseRow",
    "SessionMemberRow",
    "SessionRow",
    "SourceDayRow",
    "SourceMonthRow",
    "SourceRatingRollupRow",
    "SourceRollupRow",
    "SourceRow",
    "SourceTotalRow",
    "TokenCountRow",
    "WriterLeaseRow",
]

_HAS_ERROR = text("error IS NOT NULL OR error_message IS NOT NULL")
_KEEP_IDS = {"sqlite_autoincrement": True}


class SchemaVersionRow(Row, table=True):
    """One applied migration."""

    __tablename__ = "schema_version"
    version: int = Field(primary_key=True)
    name: str
    applied_us: int = wide()


class MarkRow(Row, table=True):
    """Small facts about the database itself, such as how often pieces were swept."""

    __tablename__ = "mark"
    __table_args__ = (NO_ROWID,)
    name: str = Field(primary_key=True)
    number: int = wide(default=0)


class WriterLeaseRow(Row, table=True):
    """A process that records into this database; its open exchanges are not to be taken for interrupted ones."""

    __tablename__ = "writer_lease"
    __table_args__ = (NO_ROWID,)
    owner: str = Field(primary_key=True)
    """Random, one per writer."""
    host: str
    pid: int
    heartbeat_us: int = wide()
    """Renewed every few seconds."""


class ExchangeRow(Row, table=True):
    """One exchange, narrow: what lists, filters and totals need."""

    __tablename__ = "exchange"
    __table_args__ = (
        Index("ix_exchange_session", "session_id", "id"),
        Index("ix_exchange_owner", "owner", sqlite_where=text("owner IS NOT NULL")),
        Index("ix_exchange_pending", "is_pending", sqlite_where=text("is_pending")),
        Index("ix_exchange_rated", "started_us", "rating", sqlite_where=text("rating IS NOT NULL")),
        # With what an exchange has in common with others, so that both are answered without a look at its row.
        Index("ix_exchange_started_facet", "started_us", "facet_id"),
        Index("ix_exchange_latency_facet", "latency_us", "facet_id"),
        Index("ix_exchange_cost_facet", "cost_nano_usd", "facet_id"),
        Index("ix_exchange_tokens_facet", text("(input_tokens + coalesce(output_tokens, 0))"), "facet_id"),
        Index(
            "ix_exchange_error", "error", "error_message", sqlite_where=text("error IS NOT NULL OR error_message IS NOT NULL")
        ),
        _KEEP_IDS,
    )
    id: int | None = Field(default=None, primary_key=True)
    """Order of arrival in this database, never used twice."""
    exchange_id: str = Field(unique=True)
    """32 hex digits."""
    started_us: int = wide()
    state: str
    """`ExchangeState`."""
    owner: str | None
    """The writer that records it; `None` once it is finished."""
    mode: str
    """`CaptureMode`."""
    connection_id: str
    method: str
    url: str
    host: str
    path: str
    """Path of the URL without the query."""
    status_code: int | None
    """`None`: no response (yet)."""
    error: str | None
    """What went wrong on the wire, in one line."""
    proxy_received_us: int | None = wide()
    proxy_forwarded_us: int | None = wide()
    first_byte_us: int | None = wide()
    first_byte_delivered_us: int | None = wide()
    last_byte_us: int | None = wide()
    delivered_us: int | None = wide()
    upstream_connect_us: int | None = wide()
    """A duration."""
    latency_us: int | None = wide()
    """Start to last byte delivered; stored for sorting and filtering."""
    proxy_us: int | None = wide()
    """Of it, the proxy's own share."""
    request_bytes: int = wide()
    """Body on the wire."""
    response_bytes: int | None = wide()
    """Body on the wire; `None`: no response (yet)."""

    is_pending: bool = True
    """It is still to be analysed, or was only while it was open."""
    attribution_version: int | None
    """`None`: not analysed yet; all below is unknown then."""
    analysis_error: str | None
    """Why the analysis failed, in one line; such an exchange is analysed again by a newer version only."""
    client_name: str | None
    client_version: str | None
    model: str | None
    request_class: str | None
    """`RequestClass`."""
    session_id: str | None
    prompt_id: str | None
    agent_id: str | None
    agent_type: str | None
    parent_agent_id: str | None
    title: str | None
    chain_hash: str | None = Field(index=True)
    """Last of `CallFacts.chain_hashes`: the whole conversation up to here."""
    previous_id: int | None
    """`id` of the request before in the same conversation."""
    api_request_id: str | None
    message_id: str | None
    stop_reason: str | None
    error_type: str | None
    """The API's error type."""
    error_message: str | None
    input_tokens: int | None
    """All input tokens; billed, or the estimate while `is_estimate`."""
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    fresh_tokens: int | None
    is_estimate: bool = True
    cost_nano_usd: int | None = wide()
    is_streaming: bool = False
    is_distorted: bool = False
    spectrum: bytes = Field(default=b"", sa_type=LargeBinary)
    """Input tokens by kind of source (`storage.spectrum`)."""
    rating: float | None
    """Copy of the feedback's rating."""
    has_note: bool = False
    """The feedback has a text."""
    facet_id: int | None = Field(index=True)
    """What it has in common with others (`FacetRow`); `None`: it is open, or not analysed."""


class ExchangeHeadRow(Row, table=True):
    """Heads of the two messages: packed, compressed against a head that looks alike."""

    __tablename__ = "exchange_head"
    id: int = Field(primary_key=True)
    """The exchange."""
    base_piece_id: int | None
    """Piece that it is compressed against; `None`: stands alone."""
    packed: bytes = Field(sa_type=LargeBinary)


class PieceRow(Row, table=True):
    """A run of bytes that is stored once, however many bodies hold it."""

    __tablename__ = "piece"
    __table_args__ = (_KEEP_IDS,)
    id: int | None = Field(default=None, primary_key=True)
    hash: bytes = Field(unique=True, sa_type=LargeBinary)
    """First 16 bytes of BLAKE2b."""
    raw_bytes: int
    sweep: int = 0
    """Number of the last sweep that had begun when a writer last looked the piece up; see `storage.sweeping`."""
    ground_id: int | None
    """Piece that holds it, or that it is compressed against, and that stands alone (`storage.grounds`); `None`: itself does."""
    start: int | None
    """Where in the ground it begins; `storage.pieces.LOOSE`: it is not in there, see `LoosePieceRow`."""
    packed: bytes | None = Field(sa_type=LargeBinary)
    """zstd, or as it is where that is smaller (`storage.compression`); `None`: it has a ground."""


class LoosePieceRow(Row, table=True):
    """Bytes of a piece that was compressed against its ground; gone when it has become part of the next one."""

    __tablename__ = "loose_piece"
    id: int = Field(primary_key=True)
    """The piece."""
    packed: bytes = Field(sa_type=LargeBinary)


class BodyRow(Row, table=True):
    """One body: which pieces make it up, and what is known of the original."""

    __tablename__ = "body"
    __table_args__ = (UniqueConstraint("exchange_id", "side"), _KEEP_IDS)
    id: int | None = Field(default=None, primary_key=True)
    """Ascending: what was stored after a sweep began is told by it."""
    exchange_id: int
    """`exchange.id`."""
    side: int
    """0 request, 1 response."""
    manifest: bytes | None = Field(sa_type=LargeBinary)
    """Recipe (`storage.manifests`); `None`: the bytes were dropped, the facts remain."""
    wire_bytes: int = wide()
    wire_sha256: bytes = Field(sa_type=LargeBinary)
    """Of the body on the wire, before redaction."""
    stored_sha256: bytes | None = Field(sa_type=LargeBinary)
    """Of the bytes kept; `None` where they are the wire's."""
    content_encoding: str | None
    is_redacted: bool = False
    is_decoded: bool = False
    is_truncated: bool = False


class JournalRow(Row, table=True):
    """Bytes of an open exchange, kept so that a killed process loses none; gone when the exchange is finished."""

    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_body", "exchange_id", "side", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    exchange_id: int
    """`exchange.id`."""
    side: int
    """0 request, 1 response."""
    is_decoded: bool = False
    chunk: bytes = Field(sa_type=LargeBinary)


class AttributionRow(Row, table=True):
    """The attribution of one exchange: packed, compressed against one that looks alike."""

    __tablename__ = "attribution"
    id: int = Field(primary_key=True)
    """The exchange."""
    version: int
    base_piece_id: int | None
    """Piece that it is compressed against; `None`: stands alone."""
    packed: bytes = Field(sa_type=LargeBinary)
    text_hash: int | None = wide()
    """Of the texts in the full-text index (`storage.texts`); `None`: it is not there."""


class SourceRow(Row, table=True):
    """One source, ever seen."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("source_type", "source_name"),)
    id: int | None = Field(default=None, primary_key=True)
    source_type: str
    """`SourceType`."""
    source_name: str = ""
    """Empty where the kind says all."""
    created_us: int = wide()
    """Start of the first exchange it was in."""
    last_used_us: int = wide()
    """Start of the newest exchange it was in."""
    feedback_count: int = 0
    rating_sum: float = 0.0


class ExchangeSourceRow(Row, table=True):
    """How much of one source was in one exchange."""

    __tablename__ = "exchange_source"
    __table_args__ = (Index("ix_exchange_source_source", "source_id", "exchange_id"), NO_ROWID)
    exchange_id: int = Field(primary_key=True)
    """`exchange.id`."""
    source_id: int = Field(primary_key=True)
    tokens: int
    """Input tokens, calibrated where billed."""
    content_bytes: int = wide()
    cost_nano_usd: int | None = wide()
    segments: int
    """Segments of the request."""


class SegmentUseRow(Row, table=True):
    """Each distinct segment content: when it came first and how many exchanges carried it."""

    __tablename__ = "segment_use"
    id: int | None = Field(default=None, primary_key=True)
    content_hash: bytes = Field(unique=True, sa_type=LargeBinary)
    """16 bytes."""
    first_id: int
    """`exchange.id` of the first one."""
    uses: int = 0


class FeedbackRow(Row, table=True):
    """A person's rating of one exchange."""

    __tablename__ = "feedback"
    id: int | None = Field(default=None, primary_key=True)
    exchange_id: int = Field(unique=True)
    """`exchange.id`."""
    rating: float
    """-1.0 to 1.0."""
    feedback_text: str | None
    user_id: str
    submitted_us: int = wide(index=True)
    updated_us: int | None = wide()


class TokenCountRow(Row, table=True):
    """A counted text, so that it is counted once."""

    __tablename__ = "token_count"
    __table_args__ = (NO_ROWID,)
    family: str = Field(primary_key=True)
    """Which tokenizer."""
    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    tokens: int
    is_exact: bool


class LearnedOverheadRow(Row, table=True):
    """A prompt overhead learnt from bills."""

    __tablename__ = "learned_overhead"
    __table_args__ = (NO_ROWID,)
    key: str = Field(primary_key=True)
    learned: str
    """JSON."""
    learned_us: int = wide()
    """When; facts about single conversations are dropped with them."""


class SavedFilterRow(Row, table=True):
    """A filter that a person gave a name."""

    __tablename__ = "saved_filter"
    __table_args__ = (NO_ROWID,)
    name: str = Field(primary_key=True)
    text: str
