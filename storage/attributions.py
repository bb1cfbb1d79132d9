"""Saves attributions: the packed whole, and what lists and totals need of it, all in one transaction.

Saving again replaces: every total takes back what the earlier attribution had added.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, select

from proxy_core.attribution.model import Attribution, Ledger, Usage
from proxy_core.exchange import ExchangeState
from storage import attribution_codec, models, ratings, texts, totals
from storage.bases import Bases
from storage.links import ConversationLinks
from storage.pieces import PieceWriter
from storage.segment_uses import SegmentUses
from storage.source_rows import SourceWriter
from storage.spectrum import encode_spectrum
from storage.statements import Prepared
from storage.stored_attributions import load_contents
from storage.texts import Texts
from storage.upserts import replace_rows, update_columns

_EXCHANGES = models.ExchangeRow.__table__
_ATTRIBUTIONS = models.AttributionRow.__table__
_TITLE_CHARS = 80
"""What a list can show; the whole of it is in the facts."""
_FIND = Prepared(
    select(_EXCHANGES.c.started_us, _EXCHANGES.c.state, _EXCHANGES.c.rating, _EXCHANGES.c.attribution_version).where(
        _EXCHANGES.c.id == bindparam("row_id")
    ),
    ("row_id",),
)


class AttributionWriter:
    """Saves attributions. For one thread; `forget` after a transaction that was rolled back."""

    def __init__(self) -> None:
        self._pieces = PieceWriter()
        self._bases = Bases(self._pieces)
        self._sources = SourceWriter()
        self._uses = SegmentUses()
        self._links = ConversationLinks()

    def forget(self) -> None:
        """Forget ids that may not exist."""
        self._pieces.forget()
        self._bases.forget()
        self._sources.forget()
        self._uses.forget()
        self._links.forget()

    def save(self, connection: Connection, row_id: int, attribution: Attribution, found_by: Texts | None) -> bool:
        """Save an attribution inside the caller's transaction; False: the exchange is gone, or has ended meanwhile.

        Args:
            connection: Inside a transaction.
            row_id: The exchange.
            attribution: What is known now.
            found_by: The texts that it is to be found by; `None`: it was made while the exchange was open.
        """
        row = next(iter(_FIND.fetch(connection, {"row_id": row_id})), None)
        is_open = found_by is None
        if row is None or (is_open and row.state != ExchangeState.OPEN):
            return False
        if self._pieces.begin(connection):
            self._bases.forget()
            self._uses.forget()
        is_first = row.attribution_version is None
        before = [] if is_first else load_contents(connection, row_id)
        after = [bytes.fromhex(segment.content_hash) for segment in attribution.segments]
        if row.rating is not None:
            ratings.take_from_sources(connection, row_id)
        with totals.following(connection, [row_id]):
            self._save_row(connection, row_id, attribution, is_open=is_open)
            self._sources.save(connection, row_id, row.started_us, attribution, is_first=is_first)
        if row.rating is not None:
            ratings.add_to_sources(connection, row_id)
        if not is_first:
            texts.unindex(connection, row_id)
        text_hash = texts.index(connection, row_id, found_by) if found_by else None
        contents = self._uses.replace(connection, row_id, before, after)
        self._save_packed(connection, row_id, attribution_codec.encode(attribution, contents), attribution, text_hash)
        return True

    def save_failure(self, connection: Connection, row_id: int, version: int, reason: str) -> None:
        """Note that an exchange could not be analysed, so that it is not tried again by the same version."""
        values = {"row_id": row_id, "analysis_error": reason, "attribution_version": version, "is_pending": False}
        with totals.following(connection, [row_id]):
            _update(("analysis_error", "attribution_version", "is_pending")).run(connection, [values])

    def _save_row(self, connection: Connection, row_id: int, attribution: Attribution, *, is_open: bool) -> None:
        facts = attribution.facts
        values = _columns(attribution, is_open=is_open)
        values |= {"row_id": row_id, "previous_id": self._links.find_previous(connection, row_id, facts)}
        _update(tuple(name for name in values if name != "row_id")).run(connection, [values])
        self._links.remember(facts, row_id)

    def _save_packed(
        self, connection: Connection, row_id: int, raw: bytes, attribution: Attribution, text_hash: int | None
    ) -> None:
        facts = attribution.facts
        conversation = f"{facts.session_id}/{facts.agent_id}/{facts.request_class}"
        keys = (conversation, f"{facts.client_name}/{facts.prefix_hash}/{facts.request_class}")
        base_id, packed = self._bases.pack(connection, raw, keys)
        row = {"id": row_id, "version": attribution.version, "base_piece_id": base_id, "packed": packed}
        replace_rows(connection, _ATTRIBUTIONS, [row | {"text_hash": text_hash}])


@lru_cache
def _update(columns: tuple[str, ...]) -> Prepared:
    return Prepared(update_columns(_EXCHANGES, columns), ("row_id", *columns))


def _shortened(title: str) -> str:
    return title if len(title) <= _TITLE_CHARS else f"{title[: _TITLE_CHARS - 1].rstrip()}…"


def _columns(attribution: Attribution, *, is_open: bool) -> dict[str, Any]:
    facts = attribution.facts
    return {
        "is_pending": is_open,
        "attribution_version": attribution.version,
        "analysis_error": None,
        "client_name": facts.client_name,
        "client_version": facts.client_version,
        "model": facts.model,
        "request_class": facts.request_class,
        "session_id": facts.session_id,
        "prompt_id": facts.prompt_id,
        "agent_id": facts.agent_id,
        "agent_type": facts.agent_type,
        "parent_agent_id": facts.parent_agent_id,
        "title": _shortened(facts.title) if facts.title else None,
        "chain_hash": facts.chain_hashes[-1] if facts.chain_hashes else None,
        "api_request_id": facts.api_request_id,
        "message_id": facts.message_id,
        "stop_reason": facts.stop_reason,
        "error_type": facts.error_type,
        "error_message": facts.error_message,
        "is_streaming": facts.is_streaming,
        "is_distorted": facts.is_distorted,
        "spectrum": encode_spectrum(attribution.ledger),
        **_token_columns(attribution.ledger, is_open=is_open),
    }


def _token_columns(ledger: Ledger | None, *, is_open: bool) -> dict[str, Any]:
    usage = ledger.usage if ledger else Usage()
    return {
        "input_tokens": ledger.total_input_tokens if ledger else None,
        "output_tokens": ledger.output_tokens if ledger else None,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_5m_tokens": usage.cache_write_5m_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "fresh_tokens": usage.input_tokens,
        "is_estimate": ledger is None or not ledger.is_settled or is_open,
        "cost_nano_usd": ledger.cost_nano_usd if ledger and not is_open else None,
    }
