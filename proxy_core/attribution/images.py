"""The pixel size of an image, read from the first bytes of its base64. Nothing is decoded beyond the header."""

import base64
import binascii
import struct
from collections.abc import Iterator

from proxy_core.attribution.model import ImageFacts

UNKNOWN_SIZE = ImageFacts(width_px=None, height_px=None)
HEADER_CHARACTERS = 256
JPEG_CHARACTERS = 400_000
"""A JPEG's size stands after its metadata, which may hold a thumbnail."""
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_facts(payload: str) -> ImageFacts:
    """Read an image's size from its base64 text; both unknown when it is no PNG, JPEG, GIF or WebP."""
    head = _decoded(payload[:HEADER_CHARACTERS])
    if head.startswith(b"\xff\xd8"):
        head = _decoded(payload[:JPEG_CHARACTERS])
    size = _size_of(head)
    return ImageFacts(width_px=size[0], height_px=size[1]) if size else UNKNOWN_SIZE


def _decoded(text: str) -> bytes:
    whole = text[: len(text) - len(text) % 4]
    try:
        return base64.b64decode(whole)
    except (binascii.Error, ValueError):
        return b""


def _size_of(head: bytes) -> tuple[int, int] | None:
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack(">II", head[16:24])
        if head.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack("<HH", head[6:10])
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp_size(head)
        return next(_jpeg_sizes(head), None) if head.startswith(b"\xff\xd8") else None
    except (struct.error, IndexError):
        return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30].ljust(3, b"\0"), "little") + 1
    return None


def _jpeg_sizes(head: bytes) -> Iterator[tuple[int, int]]:
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            return
        marker = head[at + 1]
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            yield width, height
        at += 1 if marker == 0xFF else 2 + max(2, struct.unpack(">H", head[at + 2 : at + 4])[0])
