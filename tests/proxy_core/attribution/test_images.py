"""Pixel sizes from image headers, and no error on broken ones."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.images import UNKNOWN_SIZE, image_facts
from proxy_core.attribution.model import ImageFacts

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"rest"
GIF = b"GIF89a" + struct.pack("<HH", 640, 480)
APP = b"\xff\xe0" + struct.pack(">H", 2_002) + b"t" * 2_000
JPEG = b"\xff\xd8" + APP + b"\xff\xff\xc0" + struct.pack(">HBHH", 17, 8, 480, 640) + b"rest of it"
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 10 + struct.pack("<HH", 640, 480)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + b"\0" * 4 + b"/" + struct.pack("<I", 639 | 479 << 14)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


@pytest.mark.parametrize("image", [PNG, GIF, JPEG, LOSSY, LOSSLESS, EXTENDED])
def test_known_formats(image: bytes) -> None:
    assert image_facts(base64.b64encode(image + b"\0" * 9).decode()) == ImageFacts(width_px=640, height_px=480)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"BM",
        PNG[:18],
        GIF[:8],
        JPEG[:1_000],
        LOSSY[:28],
        LOSSLESS[:22],
        LOSSY.replace(b"VP8 ", b"VP9 "),
        b"\xff\xd8" + b"\0" * 20,
    ],
)
def test_what_is_broken_or_unknown_has_no_size(image: bytes) -> None:
    assert image_facts(base64.b64encode(image).decode()) == UNKNOWN_SIZE


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(b"\xff\xd8\xff" + raw).decode()))
def test_nothing_raises(payload: str) -> None:
    image_facts(payload)
