"""Rows of sources, and how much of each is in one exchange."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, tuple_

from proxy_core.attribution.model import Attribution, Source, Zone
from storage import models
from storage.statements import Prepared

_SOURCES = models.SourceRow.__table__
_EXCHANGE_SOURCES = models.ExchangeSourceRow.__table__
_AT_ONCE = 200
_DELETE = Prepared(_EXCHANGE_SOURCES.delete().where(_EXCHANGE_SOURCES.c.exchange_id == bindparam("row_id")), ("row_id",))
_INSERT = Prepared(_EXCHANGE_SOURCES.insert(), [column.name for column in _EXCHANGE_SOURCES.c])
_USED = Prepared(
    _SOURCES.update()
    .where(_SOURCES.c.id == bindparam("source"), _SOURCES.c.last_used_us < bindparam("at_us"))
    .values(last_used_us=bindparam("at_us")),
    ("source", "at_us"),
)


@dataclass(slots=True)
class Share:
    """What one source has in one request."""

    tokens: int = 0
    content_bytes: int = 0
    cost_nano_usd: int | None = None
    """Of its input; `None`: no price known."""
    segments: int = 0


def shares(attribution: Attribution) -> dict[Source, Share]:
    """Sum up the input of a request by source: what the model wrote back is nobody's context."""
    found: dict[Source, Share] = {}
    for segment in attribution.segments:
        share = found.setdefault(segment.source, Share())
        share.segments += 1
        share.content_bytes += segment.content_bytes
    for line in attribution.ledger.lines if attribution.ledger else ():
        if line.zone is Zone.OUTPUT:
            continue
        share = found.setdefault(line.source, Share())
        share.tokens += line.tokens
        if line.cost_nano_usd is not None:
            share.cost_nano_usd = (share.cost_nano_usd or 0) + line.cost_nano_usd
    return found


class SourceWriter:
    """Finds or makes the rows of sources. For one thread; `forget` after a transaction that was rolled back."""

    def __init__(self) -> None:
        self._ids: dict[Source, int] = {}

    def forget(self) -> None:
        """Forget ids that may not exist."""
        self._ids.clear()

    def save(
        self, connection: Connection, row_id: int, started_us: int, attribution: Attribution, *, is_first: bool = False
    ) -> None:
        """Replace the sources of an exchange. Totals are the caller's (`totals.following`)."""
        found = shares(attribution)
        ids = self._ids_of(connection, found, started_us)
        if not is_first:
            _DELETE.run(connection, [{"row_id": row_id}])
        if not found:
            return
        rows = [
            {
                "source_id": ids[source],
                "exchange_id": row_id,
                "tokens": share.tokens,
                "content_bytes": share.content_bytes,
                "cost_nano_usd": share.cost_nano_usd,
                "segments": share.segments,
            }
            for source, share in found.items()
        ]
        _INSERT.run(connection, rows)
        _USED.run(connection, [{"source": ids[source], "at_us": started_us} for source in found])

    def _ids_of(self, connection: Connection, sources: Iterable[Source], started_us: int) -> dict[Source, int]:
        unknown = [source for source in sources if source not in self._ids]
        if unknown:
            self._ids.update(_find(connection, unknown))
            new = [source for source in unknown if source not in self._ids]
            if new:
                rows = [_new_row(source, started_us) for source in new]
                connection.execute(_SOURCES.insert(), rows)
                self._ids.update(_find(connection, new))
        return {source: self._ids[source] for source in sources}


def _find(connection: Connection, sources: list[Source]) -> dict[Source, int]:
    names = {(source.source_type.value, source.source_name or ""): source for source in sources}
    keys = list(names)
    found: dict[Source, int] = {}
    for start in range(0, len(keys), _AT_ONCE):
        is_wanted = tuple_(_SOURCES.c.source_type, _SOURCES.c.source_name).in_(keys[start : start + _AT_ONCE])
        for row in connection.execute(select(_SOURCES.c.id, _SOURCES.c.source_type, _SOURCES.c.source_name).where(is_wanted)):
            found[names[row.source_type, row.source_name]] = row.id
    return found


def _new_row(source: Source, started_us: int) -> dict[str, object]:
    return {
        "source_type": source.source_type,
        "source_name": source.source_name or "",
        "created_us": started_us,
        "last_used_us": started_us,
        "feedback_count": 0,
        "rating_sum": 0.0,
    }
