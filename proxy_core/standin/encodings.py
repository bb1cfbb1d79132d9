"""Content encodings of answers, flushed after every part so that a compressed stream stays a stream."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from proxy_core.standin.wire import Part, Reply, RequestHead

_PREFERENCE = ("br", "zstd", "gzip", "deflate")


class Compressor(Protocol):
    """Compresses piece by piece."""

    def push(self, piece: bytes) -> bytes:
        """Compress and flush, so that the receiver can read the piece at once."""
        ...

    def end(self) -> bytes:
        """Close the compressed form."""
        ...


class _Zlib:
    def __init__(self, window_bits: int) -> None:
        self._object = zlib.compressobj(6, zlib.DEFLATED, window_bits)

    def push(self, piece: bytes) -> bytes:
        return self._object.compress(piece) + self._object.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._object.flush()


class _Brotli:
    def __init__(self) -> None:
        import brotli  # type: ignore[import-untyped, unused-ignore]

        self._object = brotli.Compressor(quality=4)

    def push(self, piece: bytes) -> bytes:
        return bytes(self._object.process(piece) + self._object.flush())

    def end(self) -> bytes:
        return bytes(self._object.finish())


class _Zstandard:
    def __init__(self) -> None:
        import zstandard

        self._object = zstandard.ZstdCompressor(level=3).compressobj()
        self._flush_block = zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def push(self, piece: bytes) -> bytes:
        return self._object.compress(piece) + self._object.flush(self._flush_block)

    def end(self) -> bytes:
        return self._object.flush()


_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "gzip": lambda: _Zlib(31),
    "deflate": lambda: _Zlib(15),
    "br": _Brotli,
    "zstd": _Zstandard,
}


def chosen_encoding(wanted: str | None, head: RequestHead) -> str | None:
    """Return the encoding for an answer: a fixed one, or with `auto` the best that the client accepts."""
    if wanted != "auto":
        return wanted
    accepted = {item.split(";")[0].strip() for item in (head.header("accept-encoding") or "").split(",")}
    return next((name for name in _PREFERENCE if name in accepted), None)


def encode_reply(reply: Reply, encoding: str | None) -> Reply:
    """Return the reply compressed."""
    if encoding is None or reply.garbage is not None:
        return reply
    headers = (*reply.headers, (b"content-encoding", encoding.encode()))
    return replace(reply, headers=headers, parts=_compressed(reply.parts, _COMPRESSORS[encoding]()))


def _compressed(parts: Iterable[Part], compressor: Compressor) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, bytes):
            if squeezed := compressor.push(part):
                yield squeezed
        else:
            yield part
    if tail := compressor.end():
        yield tail
