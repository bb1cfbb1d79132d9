import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.decoding import BodyDecoder, decode_body

TEXT = b'{"words": "' + b"some words and more " * 500 + b'"}'


def _raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", _raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("GZIP , br", lambda data: brotli.compress(gzip.compress(data))),
    ("identity, zstd", zstandard.compress),
]


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS)
def test_every_encoding_comes_undone(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    decoded = decode_body(encode(TEXT), encoding)
    assert (decoded.data, decoded.is_complete, decoded.error) == (TEXT, True, None)


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS)
def test_every_encoding_comes_undone_byte_by_byte(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    decoder = BodyDecoder(encoding)
    assert b"".join(decoder.feed(bytes([byte])) for byte in encode(TEXT)) == TEXT
    assert decoder.is_complete


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS)
def test_a_cut_off_stream_gives_what_came(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    decoded = decode_body(encode(TEXT)[:-4], encoding)
    assert TEXT.startswith(decoded.data)
    assert not decoded.is_complete
    assert decoded.error is not None


@pytest.mark.parametrize(("encoding", "encode"), ENCODERS)
def test_bombs_are_bounded(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    decoded = decode_body(encode(bytes(30_000_000)), encoding, limit_bytes=100_000)
    assert decoded.data == bytes(100_000)
    assert decoded.is_oversized
    assert not decoded.is_complete


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_nothing_to_undo(encoding: str | None) -> None:
    decoded = decode_body(TEXT, encoding)
    assert decoded.data is TEXT or decoded.data == TEXT
    assert decoded.is_complete


def test_members_and_frames_one_after_the_other() -> None:
    assert decode_body(gzip.compress(TEXT) * 2, "gzip").data == TEXT * 2
    assert decode_body(zstandard.compress(TEXT) * 2, "zstd").data == TEXT * 2
    assert decode_body(gzip.compress(TEXT) + b"trailing", "gzip").data == TEXT


def test_an_unknown_encoding_gives_no_data_and_says_so() -> None:
    decoded = decode_body(TEXT, "gzip, compress")
    assert decoded.data == b""
    assert not decoded.is_complete
    assert "compress" in (decoded.error or "")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_an_empty_body_is_complete(encoding: str) -> None:
    decoded = decode_body(b"", encoding)
    assert (decoded.data, decoded.is_complete) == (b"", True)


@given(st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br"]), st.binary(max_size=400), st.integers(1, 50))
def test_garbage_never_raises(encoding: str, data: bytes, step: int) -> None:
    decoder = BodyDecoder(encoding, limit_bytes=10_000)
    pieces = [decoder.feed(data[start : start + step]) for start in range(0, len(data), step)]
    assert len(b"".join(pieces)) <= 10_000
    decode_body(data, encoding)
