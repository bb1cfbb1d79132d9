"""How many tokens an answer has so far, reckoned from its bytes: the API says it only at the end of a stream.

Measured on what the same model's newest streams came to, so that it follows a client's compression and the API's framing. It is
an estimate and must be shown as one; nothing that is billed or stored comes from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy_core.exchange import ExchangeState

if TYPE_CHECKING:
    from storage.database import Database

_NEWEST: Final = 1_000
"""Exchanges looked at, newest first: one short scan of the primary key."""
_ENOUGH: Final = 5
"""Streams of a model from which on it has a rate of its own."""


@dataclass(frozen=True, slots=True)
class StreamRate:
    """What a stream is made of: a frame around it, and so many bytes a token."""

    frame_bytes: float
    """Bytes that come with every answer, however short: its start, its end, its usage."""
    token_bytes: float
    """Bytes of one output token with its share of the events around it."""

    def tokens(self, received_bytes: int) -> int:
        """Reckon the output tokens among the bytes received so far."""
        return max(0, round((received_bytes - self.frame_bytes) / self.token_bytes))


USUAL_RATE: Final = StreamRate(frame_bytes=1_000, token_bytes=25)
"""Until something was measured: an event of the Messages API carries about six tokens in 150 bytes, uncompressed."""

type StreamRates = Mapping[str | None, StreamRate]
"""By model; `None`: all models together."""


def read_stream_rates(database: "Database") -> dict[str | None, StreamRate]:
    """Measure the newest streams that ended well and were billed."""
    # Late: the screen reckons with rates before there is a database, and must not wait for what reads one.
    from sqlalchemy import select

    from storage.models import ExchangeRow

    exchange = ExchangeRow.__table__.c
    newest = (
        select(
            exchange.model,
            exchange.output_tokens,
            exchange.response_bytes,
            exchange.is_streaming,
            exchange.is_estimate,
            exchange.state,
            exchange.status_code,
        )
        .order_by(exchange.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    row = newest.c
    query = select(row.model, row.output_tokens, row.response_bytes).where(
        row.is_streaming.is_(True),
        row.is_estimate.is_(False),
        row.state == ExchangeState.COMPLETE,
        row.status_code == 200,
        row.output_tokens > 0,
        row.response_bytes > 0,
    )
    with database.read() as connection:
        streams = [(model, tokens, size) for model, tokens, size in connection.execute(query)]
    return measure(streams)


def measure(streams: Iterable[tuple[str | None, int, int]]) -> dict[str | None, StreamRate]:
    """Find the rate of each model with enough streams, and of all together.

    Args:
        streams: Model, output tokens and response bytes of answers that are whole.
    """
    by_model: dict[str | None, list[tuple[int, int]]] = {None: []}
    for model, tokens, size in streams:
        by_model[None].append((tokens, size))
        if model is not None:
            by_model.setdefault(model, []).append((tokens, size))
    return {model: _fitted(sizes) for model, sizes in by_model.items() if len(sizes) >= _ENOUGH}


def rate_of(model: str | None, rates: StreamRates) -> StreamRate:
    """Return the rate for a model, else that of all models, else the usual one."""
    return rates.get(model) or rates.get(None) or USUAL_RATE


def _fitted(sizes: list[tuple[int, int]]) -> StreamRate:
    """Lay the straight line through (tokens, bytes) that fits best; through nought where that makes no sense."""
    count = len(sizes)
    mean_tokens = sum(tokens for tokens, _ in sizes) / count
    mean_bytes = sum(size for _, size in sizes) / count
    spread = sum((tokens - mean_tokens) ** 2 for tokens, _ in sizes)
    slope = sum((tokens - mean_tokens) * (size - mean_bytes) for tokens, size in sizes) / spread if spread else 0.0
    frame = mean_bytes - slope * mean_tokens
    if slope <= 0 or frame < 0:
        return StreamRate(0.0, mean_bytes / mean_tokens)
    return StreamRate(frame, slope)
