"""zstd, as storage uses it: small runs of bytes, many of which look like one seen before.

A packed run says by its first bytes whether it is zstd or left as it is. Delta coding is zstd with the earlier run as its
dictionary: depth one, never a chain, so that a run needs at most one other to be read.
"""

import threading

import zstandard

from storage.errors import BodyCorruptError

_LEVEL = 3
_PLAIN = b"\x00"
"""Marks bytes that are kept as they are; no zstd frame begins with it."""
_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_RAW_BYTES = 64 * 1024 * 1024
"""No packed run is larger; a frame that claims to be is damaged."""

_local = threading.local()


def pack(raw: bytes, base: bytes | None = None) -> bytes:
    """Compress, against `base` where there is one; bytes that do not shrink are kept as they are."""
    if base is None:
        packed = _compressor().compress(raw)
    else:
        packed = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_dictionary(base), write_checksum=False, write_dict_id=False
        ).compress(raw)
    return packed if len(packed) < len(raw) + len(_PLAIN) else _PLAIN + raw


def unpack(packed: bytes, base: bytes | None = None) -> bytes:
    """Undo `pack`.

    Raises:
        BodyCorruptError: These are not bytes that `pack` made, or the base is another one.
    """
    if packed[:1] == _PLAIN:
        return packed[1:]
    if packed[:4] != _MAGIC:
        raise BodyCorruptError("a stored run of bytes is neither plain nor zstd")
    try:
        if base is None:
            return _decompressor().decompress(packed, max_output_size=MAX_RAW_BYTES)
        return zstandard.ZstdDecompressor(dict_data=_dictionary(base)).decompress(packed, max_output_size=MAX_RAW_BYTES)
    except zstandard.ZstdError as error:
        raise BodyCorruptError(f"a stored run of bytes cannot be decompressed: {error}") from error


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _compressor() -> zstandard.ZstdCompressor:
    """One per thread: a context is not thread-safe, and dear to make."""
    found: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if found is None:
        found = _local.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = _local.decompressor = zstandard.ZstdDecompressor()
    return found
