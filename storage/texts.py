"""What full-text search finds an exchange by: its title, what the user wrote last, and what the assistant answered.

History that was sent before is found where it was new. The texts are not kept: to take an exchange out of the index they are
made again from what is stored, and the hash says whether they are the same. If not, the entry stays; it leads nowhere once
the exchange is gone.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from proxy_core.attribution.model import Attribution, SourceType
from proxy_core.dialects.base import ParsedResponse
from proxy_core.dialects.responses import read_response
from storage import full_text, models
from storage.errors import StorageError
from storage.recorded import read_recorded
from storage.stored_attributions import load_with_texts

LONGEST_TEXT_CHARS = 16_000
"""What stands further on in a text is not found."""
_ATTRIBUTIONS = models.AttributionRow.__table__


class Texts(NamedTuple):
    """One text for each of `sqlite.TEXT_COLUMNS`."""

    title: str
    user_text: str
    assistant_text: str


def texts_of(response: ParsedResponse | None, attribution: Attribution) -> Texts:
    """Collect the texts of an exchange."""
    return Texts(attribution.facts.title or "", _user_text(attribution), _assistant_text(response))


def _user_text(attribution: Attribution) -> str:
    """What the user wrote since the assistant last spoke."""
    spoken = [segment.message_index or 0 for segment in attribution.segments if segment.role == "assistant"]
    last = max(spoken, default=-1)
    return _joined(
        segment.text
        for segment in attribution.segments
        if segment.source.source_type is SourceType.USER and (segment.message_index or 0) > last
    )


def _assistant_text(response: ParsedResponse | None) -> str:
    blocks = response.blocks if response else ()
    return _joined(block["text"] for block in blocks if isinstance(block.get("text"), str))


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)[:LONGEST_TEXT_CHARS].encode("utf-8", "replace").decode()


def index(connection: Connection, row_id: int, texts: Texts) -> int | None:
    """Add an exchange to the index; returns the hash to keep, `None` when there was nothing to add."""
    if not any(texts):
        return None
    full_text.index_text(connection, row_id, texts)
    return _hash(texts)


def unindex(connection: Connection, row_id: int) -> None:
    """Take an exchange out of the index, if its texts can be made again."""
    stored = connection.execute(select(_ATTRIBUTIONS.c.text_hash).where(_ATTRIBUTIONS.c.id == row_id)).scalar()
    if stored is None:
        return
    try:
        attribution = load_with_texts(connection, row_id)
        texts = texts_of(read_response(read_recorded(connection, row_id)), attribution) if attribution else None
    except StorageError:
        return
    if texts is not None and _hash(texts) == stored:
        full_text.unindex_text(connection, row_id, texts)


def _hash(texts: Texts) -> int:
    digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
