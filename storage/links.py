"""Which request was the one before in the same conversation.

The conversation itself says it best: its messages begin with those of the request before. Where they were changed on the
way (an edited memory file, a compaction), the ids that the client passes on say it, else the order in session and agent.
"""

from collections import OrderedDict
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from proxy_core.attribution.model import CallFacts, RequestClass
from storage.models import ExchangeRow
from storage.statements import Lookup

_exchange = ExchangeRow.__table__.c

_LINKED_MESSAGES = 64
"""How far back, in messages, the request before in a conversation is looked for."""
_REMEMBERED_CHAINS = 5_000

_CONVERSING = frozenset({RequestClass.MAIN, RequestClass.SUBAGENT, RequestClass.COMPACTION})
"""Classes of request that go on with what was said before; side calls stand alone."""

_BY_CHAIN = Lookup(
    select(_exchange.chain_hash, _exchange.id).where(_exchange.id < bindparam("row_id")).order_by(_exchange.id),
    _exchange.chain_hash,
)
_IN_SESSION = (
    select(_exchange.id)
    .where(
        _exchange.session_id == bindparam("session_id"),
        _exchange.agent_id.is_not_distinct_from(bindparam("agent_id")),
        _exchange.id < bindparam("row_id"),
        _exchange.request_class.in_(sorted(kind.value for kind in _CONVERSING)),
    )
    .order_by(_exchange.id.desc())
    .limit(1)
)
_BY_REQUEST = _IN_SESSION.where(_exchange.api_request_id == bindparam("api_request_id"))
_BY_MESSAGE = _IN_SESSION.where(_exchange.message_id == bindparam("message_id"))
_BY_ORDER = _IN_SESSION.where(_exchange.error_type.is_(None))


class ConversationLinks:
    """Finds predecessors. For one thread; `forget` after a transaction that was rolled back."""

    def __init__(self) -> None:
        self._chains: OrderedDict[str, int] = OrderedDict()

    def forget(self) -> None:
        """Forget ids that may not exist."""
        self._chains.clear()

    def remember(self, facts: CallFacts, row_id: int) -> None:
        """Keep a request in mind as what others may go on from."""
        if facts.chain_hashes:
            self._chains[facts.chain_hashes[-1]] = row_id
            if len(self._chains) > _REMEMBERED_CHAINS:
                self._chains.popitem(last=False)

    def find_previous(self, connection: Connection, row_id: int, facts: CallFacts) -> int | None:
        """Find the newest earlier request whose conversation this one goes on with; `None`: it begins one."""
        return self._by_chain(connection, row_id, facts.chain_hashes) or _by_session(connection, row_id, facts)

    def _by_chain(self, connection: Connection, row_id: int, chain: Sequence[str]) -> int | None:
        candidates = chain[-2 : -2 - _LINKED_MESSAGES : -1]
        for key in candidates:
            known = self._chains.get(key)
            if known is not None and known < row_id:
                return known
        if not candidates:
            return None
        found = {row[0]: row[1] for row in _BY_CHAIN.fetch(connection, candidates, {"row_id": row_id})}
        return next((found[key] for key in candidates if key in found), None)


def _by_session(connection: Connection, row_id: int, facts: CallFacts) -> int | None:
    """Find it by the ids that the client passes on, else by order; a first message has nothing before it."""
    if facts.session_id is None or facts.request_class not in _CONVERSING:
        return None
    place = {"session_id": facts.session_id, "agent_id": facts.agent_id, "row_id": row_id}
    if facts.previous_request_id is not None:
        known: int | None = connection.scalar(_BY_REQUEST, place | {"api_request_id": facts.previous_request_id})
        if known is not None:
            return known
    if facts.thread_message_id is not None:
        return connection.scalar(_BY_MESSAGE, place | {"message_id": facts.thread_message_id})
    return connection.scalar(_BY_ORDER, place) if len(facts.chain_hashes) > 1 else None
