"""Reads attributions back: unpacked, with the texts rebuilt from the stored request where they are wanted."""

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, bindparam, select

from proxy_core.attribution.model import Attribution, CallFacts
from proxy_core.exchange import Side
from storage import attribution_codec, models
from storage.bases import unpack_with_base
from storage.errors import BodyCorruptError
from storage.recorded import decoded_bytes
from storage.segment_texts import with_texts
from storage.segment_uses import read_hashes
from storage.statements import Prepared

_ATTRIBUTIONS = models.AttributionRow.__table__
_FIND = Prepared(
    select(_ATTRIBUTIONS.c.base_piece_id, _ATTRIBUTIONS.c.packed).where(_ATTRIBUTIONS.c.id == bindparam("row_id")), ("row_id",)
)


@dataclass(frozen=True, slots=True)
class StoredAttribution:
    """An attribution as it is kept."""

    attribution: Attribution
    """Segments without their texts."""
    textless: frozenset[int]
    """Indices of segments that have none."""


@dataclass(slots=True)
class KnownContents:
    """What was read before, for whoever reads many exchanges: requests of one conversation are nearly all the same contents."""

    hashes: dict[int, str] = field(default_factory=dict)
    """Content hash by its number."""
    texts: dict[str, str] = field(default_factory=dict)
    """Text by content hash."""


def load(connection: Connection, row_id: int) -> StoredAttribution | None:
    """Load an attribution without texts; `None`: not analysed.

    Raises:
        BodyCorruptError: It is damaged.
    """
    raw = _load_raw(connection, row_id)
    if raw is None:
        return None
    hashes = read_hashes(connection, attribution_codec.contents_of(raw))
    return StoredAttribution(attribution_codec.decode(raw, hashes), attribution_codec.textless_indices(raw))


def load_with_texts(connection: Connection, row_id: int) -> Attribution | None:
    """Load an attribution; texts are empty where the request's bytes were dropped. `None`: not analysed.

    Raises:
        BodyCorruptError: It, or the request, is damaged.
    """
    stored = load(connection, row_id)
    if stored is None:
        return None
    body = decoded_bytes(connection, row_id, Side.REQUEST)
    if body is None:
        return stored.attribution
    return replace(stored.attribution, segments=with_texts(stored.attribution.segments, body, stored.textless))


def load_knowing(connection: Connection, row_id: int, known: KnownContents, *, has_texts: bool) -> Attribution | None:
    """Load an attribution; the request is read only where it holds a text that is not known yet, and then that is known.

    Args:
        connection: Where from.
        row_id: The exchange.
        known: What was read before; added to.
        has_texts: Whether texts are wanted at all.

    Returns:
        The attribution; texts are empty where the request's bytes were dropped. `None`: not analysed.

    Raises:
        BodyCorruptError: It, or the request, is damaged.
    """
    raw = _load_raw(connection, row_id)
    if raw is None:
        return None
    unseen = [number for number in attribution_codec.contents_of(raw) if number not in known.hashes]
    known.hashes.update(read_hashes(connection, unseen) if unseen else {})
    attribution = attribution_codec.decode(raw, known.hashes, known.texts)
    if not has_texts or not _lacks_texts(attribution, attribution_codec.textless_indices(raw)):
        return attribution
    body = decoded_bytes(connection, row_id, Side.REQUEST)
    if body is None:
        return attribution
    segments = with_texts(attribution.segments, body, attribution_codec.textless_indices(raw))
    known.texts.update((segment.content_hash, segment.text) for segment in segments if segment.text)
    return replace(attribution, segments=segments)


def _lacks_texts(attribution: Attribution, textless: frozenset[int]) -> bool:
    return any(
        not segment.text and segment.end > segment.start and index not in textless
        for index, segment in enumerate(attribution.segments)
    )


def load_contents(connection: Connection, row_id: int) -> list[int]:
    """Load the numbers of an exchange's contents; empty when it was not analysed, or its attribution is damaged."""
    try:
        raw = _load_raw(connection, row_id)
        return attribution_codec.contents_of(raw) if raw else []
    except BodyCorruptError:
        return []


def load_facts(connection: Connection, row_id: int) -> CallFacts | None:
    """Load the facts of a call alone; `None`: not analysed, or its attribution is damaged."""
    try:
        raw = _load_raw(connection, row_id)
        return attribution_codec.facts_of(raw) if raw else None
    except BodyCorruptError:
        return None


def _load_raw(connection: Connection, row_id: int) -> bytes | None:
    found = _FIND.fetch(connection, {"row_id": row_id})
    return unpack_with_base(connection, *found[0]) if found else None
