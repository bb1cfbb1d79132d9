"""Reads attributions back: unpacked, with the texts rebuilt from the stored request where they are wanted."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from proxy_core.attribution.model import Attribution
from proxy_core.exchange import Side
from storage import attribution_codec, models
from storage.bases import unpack_with_base
from storage.errors import BodyCorruptError
from storage.recorded import decoded_bytes
from storage.segment_texts import with_texts
from storage.segment_uses import read_hashes

_ATTRIBUTIONS = models.AttributionRow.__table__


@dataclass(frozen=True, slots=True)
class StoredAttribution:
    """An attribution as it is kept."""

    attribution: Attribution
    """Segments without their texts."""
    textless: frozenset[int]
    """Indices of segments that have none."""


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


def load_contents(connection: Connection, row_id: int) -> list[int]:
    """Load the numbers of an exchange's contents; empty when it was not analysed, or its attribution is damaged."""
    try:
        raw = _load_raw(connection, row_id)
        return attribution_codec.contents_of(raw) if raw else []
    except BodyCorruptError:
        return []


def _load_raw(connection: Connection, row_id: int) -> bytes | None:
    row = connection.execute(select(_ATTRIBUTIONS).where(_ATTRIBUTIONS.c.id == row_id)).one_or_none()
    return None if row is None else unpack_with_base(connection, row.base_piece_id, row.packed)
