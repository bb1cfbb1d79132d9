"""What each field of the filter language is in a row: of an exchange, and of a facet, which many exchanges share.

The facet's row answers a part of the fields, by the same names; everything else about filters follows these two tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, not_, null, or_, select

from storage.expressions import first_byte_after_us, is_failed
from storage.facets import kind_bit
from storage.models import ExchangeRow, ExchangeSourceRow, FacetRow, SourceRow

type Clause = ColumnElement[bool]

_exchange = ExchangeRow.__table__.c
_facet = FacetRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c


@dataclass(frozen=True, slots=True)
class FieldColumns:
    """The fields that a row answers."""

    figures: Mapping[str, ColumnElement[Any]]
    """Numbers and choices."""
    texts: Mapping[str, tuple[ColumnElement[Any], ...]]
    """Any of these columns may hold the text."""
    flags: Mapping[str, Clause]
    has_kind: Callable[[str], Clause]
    """Whether a source of a kind is in the request."""
    unknown: Mapping[str, Clause] = field(default_factory=dict)
    """When a field is not known, where that is not simply its column being NULL."""

    def is_unknown(self, name: str) -> Clause:
        """Return the clause that a field is not known."""
        if name in self.unknown:
            return self.unknown[name]
        column = self.figures[name] if name in self.figures else self.texts[name][0]
        return column.is_(null())


def has_source(wanted: Clause) -> Clause:
    """Return the clause that a source that passes is in the request; it looks at the sources of one exchange."""
    # The addition keeps a database from looking up each source that passes: there may be thousands, an exchange has fifty.
    is_wanted = (_use.source_id + 0).in_(select(_source.id).where(wanted))
    found = select(_use.source_id).where(_use.exchange_id == _exchange.id, is_wanted)
    return exists(found.correlate(ExchangeRow.__table__))


EXCHANGE_FIELDS = FieldColumns(
    figures={
        "status": _exchange.status_code,
        # Written as the index on it is, or it would not be used.
        "tokens": _exchange.input_tokens + func.coalesce(_exchange.output_tokens, literal_column("0")),
        "input": _exchange.input_tokens,
        "output": _exchange.output_tokens,
        "cached": _exchange.cache_read_tokens * 100.0 / func.nullif(_exchange.input_tokens, 0),
        "cost": _exchange.cost_nano_usd,
        "latency": _exchange.latency_us,
        "ttfb": first_byte_after_us(),
        "proxy": _exchange.proxy_us,
        "size": _exchange.request_bytes,
        "rating": _exchange.rating,
        "state": _exchange.state,
        "class": _exchange.request_class,
        "mode": _exchange.mode,
    },
    texts={
        "model": (_exchange.model,),
        "client": (
            _exchange.client_name,
            _exchange.client_version,
            _exchange.client_name + "/" + _exchange.client_version,
        ),
        "session": (_exchange.session_id,),
        "prompt": (_exchange.prompt_id,),
        "agent": (_exchange.agent_type, _exchange.agent_id),
        "id": (_exchange.exchange_id,),
        "host": (_exchange.host,),
        "path": (_exchange.path,),
        "method": (_exchange.method,),
    },
    flags={
        "error": is_failed(),
        "stream": _exchange.is_streaming.is_(True),
        "estimate": _exchange.is_estimate.is_(True),
    },
    has_kind=lambda kind: has_source(_source.source_type == kind),
    unknown={
        "agent": and_(_exchange.agent_id.is_(null()), _exchange.agent_type.is_(null())),
        "note": not_(_exchange.has_note),
    },
)

FACET_FIELDS = FieldColumns(
    figures={
        "status": _facet.status_code,
        "state": _facet.state,
        "class": _facet.request_class,
        "mode": _facet.mode,
    },
    texts={
        "model": (_facet.model,),
        "client": (_facet.client_name, _facet.client_version, _facet.client_name + "/" + _facet.client_version),
        "host": (_facet.host,),
        "path": (_facet.path,),
        "method": (_facet.method,),
    },
    flags={
        "error": or_(
            _facet.state.in_(("failed", "interrupted")),
            _facet.status_code >= 400,
            _facet.has_error,
            _facet.error_type.is_not(None),
        ),
        "stream": _facet.is_streaming.is_(True),
        "estimate": _facet.is_estimate.is_(True),
    },
    has_kind=lambda kind: _facet.kinds.bitwise_and(kind_bit(kind)) != 0,
)
FACETED = frozenset({"kind", *FACET_FIELDS.figures, *FACET_FIELDS.texts, *FACET_FIELDS.flags})
"""Fields that a facet answers."""
