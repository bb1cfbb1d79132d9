"""Content encodings undone, for reading only: what goes to client and API is never touched by this.

Bounded (a few kilobytes can claim to be gigabytes) and forgiving (a stream cut off gives what came).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import brotli
import zstandard

DECODED_LIMIT_BYTES = 200 * 1024 * 1024
_STEP_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class DecodedBody:
    """A body without its content-encoding."""

    data: bytes
    """What could be decoded, at most the limit."""
    is_complete: bool
    """The encoding ended where it should and nothing was cut."""
    error: str | None
    """Why it is not complete, in one line; `None` when it is."""
    is_oversized: bool = False
    """The limit was reached: there is more."""


class _Decoder(Protocol):
    def decode(self, data: bytes, room: int) -> Iterator[bytes]:
        """Yield decoded pieces, about `room` bytes at most."""

    @property
    def is_finished(self) -> bool: ...


class _ZlibDecoder:
    """gzip (also several members one after the other) and both kinds of deflate."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._stream = zlib.decompressobj(window_bits)
        self._is_begun = False

    @property
    def is_finished(self) -> bool:
        return self._stream.eof or not self._is_begun

    def decode(self, data: bytes, room: int) -> Iterator[bytes]:
        while data and room > 0:
            self._restart_where_needed(data)
            piece = self._stream.decompress(data, min(room, _STEP_BYTES))
            data = self._stream.unconsumed_tail or self._stream.unused_data
            room -= len(piece)
            if piece:
                yield piece
            if self._stream.eof and not data.startswith(b"\x1f\x8b"):
                return

    def _restart_where_needed(self, data: bytes) -> None:
        if not self._is_begun:
            self._is_begun = True
            if self._window_bits == zlib.MAX_WBITS and not _looks_like_zlib(data):
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        elif self._stream.eof:
            self._stream = zlib.decompressobj(self._window_bits)


class _BrotliDecoder:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._is_begun = False

    @property
    def is_finished(self) -> bool:
        return not self._is_begun or bool(self._stream.is_finished())

    def decode(self, data: bytes, room: int) -> Iterator[bytes]:
        self._is_begun = self._is_begun or bool(data)
        while room > 0 and not self._stream.is_finished():
            piece = self._stream.process(data, output_buffer_limit=min(room, _STEP_BYTES))
            data = b""
            room -= len(piece)
            if not piece and self._stream.can_accept_more_data():
                return
            yield piece


class _ZstdDecoder:
    """Frames one after the other, as the format allows."""

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
        self._is_begun = False

    @property
    def is_finished(self) -> bool:
        return not self._is_begun or self._stream.eof

    def decode(self, data: bytes, room: int) -> Iterator[bytes]:
        # Fed in small steps: this library has no limit on what one step gives, and zstd expands by 30,000 at most.
        position = 0
        while position < len(data) and room > 0:
            self._is_begun = True
            if self._stream.eof:
                self._stream = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
            step = data[position : position + 1024]
            position += len(step)
            piece = self._stream.decompress(step)
            position -= len(self._stream.unused_data)
            room -= len(piece)
            if piece:
                yield piece


def _looks_like_zlib(data: bytes) -> bool:
    if len(data) < 2:
        return data[:1] == b"\x78"
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _make_decoder(name: str) -> _Decoder | None:
    match name:
        case "gzip" | "x-gzip":
            return _ZlibDecoder(zlib.MAX_WBITS | 16)
        case "deflate":
            return _ZlibDecoder(zlib.MAX_WBITS)
        case "br":
            return _BrotliDecoder()
        case "zstd":
            return _ZstdDecoder()
        case _:
            return None


class BodyDecoder:
    """Undoes the content-encodings of one body, chunk by chunk."""

    def __init__(self, content_encoding: str | None, limit_bytes: int = DECODED_LIMIT_BYTES) -> None:
        names = [name.strip().lower() for name in (content_encoding or "").split(",")]
        applied = [name for name in names if name not in {"", "identity"}]
        self._stack: list[_Decoder] = []
        self._room = limit_bytes
        self.is_oversized = False
        """The limit was reached."""
        self.error: str | None = None
        """Why decoding stopped; nothing more comes out after it."""
        for name in reversed(applied):
            decoder = _make_decoder(name)
            if decoder is None:
                self.error = f"unknown content-encoding {name[:40]!r}"
                break
            self._stack.append(decoder)
        self.is_identity = not applied
        """There is nothing to undo: what goes in comes out."""

    @property
    def is_complete(self) -> bool:
        """Every encoding has reached its end."""
        return self.error is None and all(decoder.is_finished for decoder in self._stack)

    def feed(self, data: bytes) -> bytes:
        """Return what this chunk adds."""
        if self.error is not None:
            return b""
        out: list[bytes] = []
        try:
            for piece in self._through(data, 0):
                out.append(piece[: self._room])
                self._room -= len(out[-1])
                if self._room <= 0:
                    self.is_oversized = True
                    self.error = "decoded form is larger than the limit"
                    break
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            self.error = f"cannot be decoded: {error}"
        return b"".join(out)

    def _through(self, data: bytes, level: int) -> Iterator[bytes]:
        if level == len(self._stack):
            if data:
                yield data
            return
        for piece in self._stack[level].decode(data, self._room + _STEP_BYTES):
            yield from self._through(piece, level + 1)


def decode_body(data: bytes, content_encoding: str | None, limit_bytes: int = DECODED_LIMIT_BYTES) -> DecodedBody:
    """Undo the content-encodings of a whole body.

    Args:
        data: The body as on the wire.
        content_encoding: The header's value: one or more of gzip, deflate, br, zstd, identity; `None` when absent.
        limit_bytes: Where to stop: a bomb gives its first bytes and `is_complete` false.

    Returns:
        What could be decoded. An unknown encoding gives no data; nothing raises.
    """
    decoder = BodyDecoder(content_encoding, limit_bytes)
    decoded = decoder.feed(data)
    if decoder.is_identity and decoder.error is None:
        return DecodedBody(data, is_complete=True, error=None)
    if decoder.error is None and not decoder.is_complete:
        return DecodedBody(decoded, is_complete=False, error="the encoded stream is cut off")
    return DecodedBody(decoded, is_complete=decoder.is_complete, error=decoder.error, is_oversized=decoder.is_oversized)
