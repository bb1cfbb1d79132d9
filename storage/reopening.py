"""Exchanges that go on in another process than the one that began them: the recording process died and another took its place.

What it gets is told from the beginning, so what was stored of such an exchange while it ran gives way to that.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import batched

from sqlalchemy import Connection, bindparam

from proxy_core.exchange import ExchangeStarted, ExchangeState
from storage import models, totals
from storage.statements import Prepared
from storage.upserts import update_columns

_EXCHANGES = models.ExchangeRow.__table__
_BODIES = models.BodyRow.__table__
_JOURNAL = models.JournalRow.__table__
_OPEN = ("state", "owner", "is_pending", "status_code", "error", "latency_us", "proxy_us", "request_bytes", "response_bytes")
_UPDATE_REOPENED = Prepared(update_columns(_EXCHANGES, _OPEN), ("row_id", *_OPEN))
_CLEAR = tuple(
    Prepared(table.delete().where(table.c.exchange_id == bindparam("row_id")), ("row_id",)) for table in (_JOURNAL, _BODIES)
)
_IDS_AT_ONCE = 500


def adopt(connection: Connection, owner: str, exchange_ids: Collection[str]) -> None:
    """Take over open exchanges of a dead process that will be told again: they are not to be closed as interrupted."""
    for some in batched(exchange_ids, _IDS_AT_ONCE):
        ours = _EXCHANGES.c.exchange_id.in_(some) & _EXCHANGES.c.owner.is_not(None)
        connection.execute(_EXCHANGES.update().where(ours).values(owner=owner))


def reopen(connection: Connection, owner: str, begun: Mapping[int, ExchangeStarted]) -> None:
    """Make stored exchanges open ones that have just begun; their bodies and journals are to be written anew.

    Args:
        connection: The caller's transaction.
        owner: Who stores them from now on.
        begun: What is told of them, by row id.
    """
    if not begun:
        return
    keys = [{"row_id": row_id} for row_id in begun]
    with totals.following(connection, list(begun)):
        for statement in _CLEAR:
            statement.run(connection, keys)
        _UPDATE_REOPENED.run(connection, list(_rows(owner, begun)))


def _rows(owner: str, begun: Mapping[int, ExchangeStarted]) -> Iterator[dict[str, object]]:
    unknown = dict.fromkeys(_OPEN)
    for row_id, event in begun.items():
        yield {
            **unknown,
            "row_id": row_id,
            "state": ExchangeState.OPEN,
            "owner": owner,
            "is_pending": True,
            "request_bytes": event.request_body.wire_bytes if event.request_body else 0,
        }
