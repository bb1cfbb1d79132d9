"""What exchanges have in common, each combination stored once and counted: the counterpart of `rollups.py` for `facet`.

An exchange has a facet once it has ended and is analysed; until then it is looked at itself. A facet is never deleted, and
counts the exchanges that are there now: other than the sums, it does not outlive them.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from proxy_core.exchange import ExchangeState
from storage import models
from storage.rollups import Row
from storage.spectrum import CODES
from storage.statements import Lookup, Prepared

_EXCHANGES = models.ExchangeRow.__table__
_FACETS = models.FacetRow.__table__
_USES = models.ExchangeSourceRow.__table__
_SOURCES = models.SourceRow.__table__
COPIED_COLUMNS = (
    "state",
    "mode",
    "method",
    "host",
    "path",
    "status_code",
    "error_type",
    "client_name",
    "client_version",
    "model",
    "request_class",
    "agent_type",
)
_FLAGS = ("is_streaming", "is_estimate")
EXCHANGE_COLUMNS = ("id", "facet_id", "attribution_version", "error", *COPIED_COLUMNS, *_FLAGS)
"""What `follow` reads of a row."""
_AT_ONCE = 500
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_FIND = Lookup(select(_FACETS.c.hash, _FACETS.c.id), _FACETS.c.hash)
_INSERT = _FACETS.insert()
_ASSIGN = Prepared(
    _EXCHANGES.update().where(_EXCHANGES.c.id == bindparam("row_id")).values(facet_id=bindparam("facet")), ("row_id", "facet")
)
_COUNT = Prepared(
    _FACETS.update().where(_FACETS.c.id == bindparam("facet")).values(exchanges=_FACETS.c.exchanges + bindparam("amount")),
    ("facet", "amount"),
)
_BITS: Mapping[str, int] = {kind.value: 1 << code for kind, code in CODES.items()}


def kind_bit(source_type: str) -> int:
    """Return the bit of `FacetRow.kinds` that stands for a kind of source; 0 for one of a newer program."""
    return _BITS.get(source_type, 0)


def kinds_of(source_types: Iterable[str]) -> int:
    """Return `FacetRow.kinds` of a request with sources of these kinds."""
    found = 0
    for source_type in source_types:
        found |= kind_bit(source_type)
    return found


def follow(connection: Connection, after: Sequence[Row], kinds: Mapping[int, int]) -> None:
    """Let the facets of exchanges be what their rows say now.

    Args:
        connection: Inside a transaction.
        after: The rows (`EXCHANGE_COLUMNS`) as they are now.
        kinds: By `exchange.id`, the kinds of its sources.
    """
    wanted = {row["id"]: _facet_of(row, kinds.get(row["id"], 0)) for row in after}
    ids = _ids_of(connection, [facet for facet in wanted.values() if facet is not None])
    changes: list[dict[str, Any]] = []
    counts: Counter[int] = Counter()
    for row in after:
        facet = wanted[row["id"]]
        new, old = None if facet is None else ids[facet["hash"]], row["facet_id"]
        if new != old:
            changes.append({"row_id": row["id"], "facet": new})
            counts.update({} if new is None else {new: 1})
            counts.subtract({} if old is None else {old: 1})
    _ASSIGN.run(connection, changes)
    _count(connection, counts)


def forget(connection: Connection, row_ids: Sequence[int]) -> None:
    """Count exchanges no longer that are about to be deleted."""
    query = select(_EXCHANGES.c.facet_id, func.count()).where(_EXCHANGES.c.id.in_(_IDS), _EXCHANGES.c.facet_id.is_not(None))
    rows = connection.execute(query.group_by(_EXCHANGES.c.facet_id), {"ids": list(row_ids)})
    _count(connection, Counter({row[0]: -row[1] for row in rows}))


def recompute(connection: Connection) -> None:
    """Find the facets of all exchanges anew, and count them."""
    ids = connection.execute(select(_EXCHANGES.c.id).order_by(_EXCHANGES.c.id)).scalars().all()
    columns = [_EXCHANGES.c[name] for name in EXCHANGE_COLUMNS]
    for start in range(0, len(ids), _AT_ONCE):
        part = {"ids": ids[start : start + _AT_ONCE]}
        rows = connection.execute(select(*columns).where(_EXCHANGES.c.id.in_(_IDS)), part).mappings().all()
        follow(connection, rows, read_kinds(connection, part["ids"]))
    connection.execute(_FACETS.update().values(exchanges=0))
    counted = select(_EXCHANGES.c.facet_id, func.count()).where(_EXCHANGES.c.facet_id.is_not(None))
    _count(connection, Counter({row[0]: row[1] for row in connection.execute(counted.group_by(_EXCHANGES.c.facet_id))}))


def read_kinds(connection: Connection, row_ids: Sequence[int]) -> dict[int, int]:
    """Read the kinds of sources that are in each of some exchanges."""
    query = select(_USES.c.exchange_id, _SOURCES.c.source_type).join(_SOURCES, _SOURCES.c.id == _USES.c.source_id).distinct()
    found: dict[int, int] = {}
    for row_id, source_type in connection.execute(query.where(_USES.c.exchange_id.in_(_IDS)), {"ids": list(row_ids)}):
        found[row_id] = found.get(row_id, 0) | kind_bit(source_type)
    return found


def _facet_of(row: Row, kinds: int) -> dict[str, Any] | None:
    if row["state"] == ExchangeState.OPEN or row["attribution_version"] is None:
        return None
    facet = {name: row[name] for name in COPIED_COLUMNS} | {name: bool(row[name]) for name in _FLAGS}
    facet |= {"has_error": row["error"] is not None, "kinds": kinds}
    return facet | {"hash": hashlib.blake2b(repr(tuple(facet.values())).encode(), digest_size=16).digest()}


def _ids_of(connection: Connection, facets: Sequence[dict[str, Any]]) -> dict[bytes, int]:
    """Find the rows of facets, and make those that are not there yet."""
    by_hash = {facet["hash"]: facet for facet in facets}
    if not by_hash:
        return {}
    found = _find(connection, by_hash)
    new = [facet | {"exchanges": 0} for key, facet in by_hash.items() if key not in found]
    if new:
        connection.execute(_INSERT, new)
        found |= _find(connection, [facet["hash"] for facet in new])
    return found


def _find(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
    return {row[0]: row[1] for row in _FIND.fetch(connection, hashes)}


def _count(connection: Connection, counts: Counter[int]) -> None:
    _COUNT.run(connection, [{"facet": facet, "amount": amount} for facet, amount in counts.items() if amount])
