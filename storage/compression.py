"""zstd, as storage uses it: small runs of bytes, many of which look like one seen before.

A packed run says by its first byte whether it is left as it is, plain zstd, or zstd with the built-in dictionary of what the
Messages API always says, or with that and a ground: earlier bytes of the same conversation; an event stream is folded before
(`storage.folding`). Delta coding is zstd with an earlier run as its dictionary. Both are of depth one, never a chain, so that
a run needs at most one other to be read.
"""

import threading
from typing import NamedTuple

import zstandard

from storage.common_text import COMMON_1
from storage.errors import BodyCorruptError
from storage.folding import fold, unfold

_LEVEL = 6
_SEARCH = zstandard.ZstdCompressionParameters(
    window_log=17,
    chain_log=16,
    hash_log=16,
    search_log=5,
    min_match=5,
    target_length=32,
    strategy=zstandard.STRATEGY_LAZY2,
    write_checksum=False,
    write_dict_id=False,
)
"""How matches in a ground are looked for: nearly as well as by level 11, which takes twenty times as long to prepare."""
_PLAIN = b"\x00"
"""Marks bytes that are kept as they are; no zstd frame begins with it."""
_COMMON = b"\x01"
"""Marks zstd with the dictionary of number 1."""
_GROUND = b"\x02"
"""Marks zstd with the dictionary of number 1 and a ground."""
_FOLDED = b"\x03"
"""Marks a folded stream, packed in one of the other ways."""
_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_COMMON_BYTES = 64 * 1024
"""Longer runs gain nothing from the dictionary."""
_SHORTEST_BYTES = 10
"""No zstd frame is shorter: recipes of answers are."""
MAX_RAW_BYTES = 64 * 1024 * 1024
"""No packed run is larger; a frame that claims to be is damaged."""

_local = threading.local()


class Content(NamedTuple):
    """What is compressed: bytes, or the stream that was folded into them."""

    data: bytes
    mark: bytes = b""
    """What its packed form begins with."""

    @property
    def is_stream(self) -> bool:
        """It was folded."""
        return bool(self.mark)


def prepare(raw: bytes) -> Content:
    """Fold what is a stream; what would not come back is left alone: storing must not depend on that."""
    folded = fold(raw)
    return Content(raw) if folded is None or unfold(folded) != raw else Content(folded, _FOLDED)


def pack(raw: bytes, base: bytes | None = None) -> bytes:
    """Compress, against `base` where there is one; bytes that do not shrink are kept as they are."""
    return pack_content(prepare(raw)) if base is None else Base(base).pack(raw)


def pack_content(content: Content) -> bytes:
    """Compress what was prepared."""
    data = content.data
    if len(data) < _SHORTEST_BYTES:
        return content.mark + _PLAIN + data
    if len(data) <= _LONGEST_COMMON_BYTES:
        packed = _COMMON + _contexts().common_compressor.compress(data)
    else:
        packed = _contexts().compressor.compress(data)
    return content.mark + (packed if len(packed) < len(data) + len(_PLAIN) else _PLAIN + data)


def unpack(packed: bytes, base: bytes | None = None) -> bytes:
    """Undo `pack`.

    Raises:
        BodyCorruptError: These are not bytes that `pack` made, or the base is another one.
    """
    if packed[:1] == _PLAIN:
        return packed[1:]
    if packed[:1] == _FOLDED:
        return unfold(unpack(packed[1:], base))
    try:
        if packed[:1] == _COMMON:
            return _contexts().common_decompressor.decompress(packed[1:], max_output_size=MAX_RAW_BYTES)
        if packed[:4] != _MAGIC:
            raise BodyCorruptError("a stored run of bytes is of no known kind")
        if base is None:
            return _contexts().decompressor.decompress(packed, max_output_size=MAX_RAW_BYTES)
        return zstandard.ZstdDecompressor(dict_data=_dictionary(base)).decompress(packed, max_output_size=MAX_RAW_BYTES)
    except zstandard.ZstdError as error:
        raise BodyCorruptError(f"a stored run of bytes cannot be decompressed: {error}") from error


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def pack_ground(raw: bytes) -> bytes:
    """Compress what many others will be compressed against, as `pack`, but thoroughly."""
    packed = _COMMON + _contexts().thorough_compressor.compress(raw)
    return packed if len(packed) <= len(raw) else _PLAIN + raw


class Base:
    """Bytes that others, much like them, are kept as the difference to. For one thread."""

    def __init__(self, raw: bytes) -> None:
        self._compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_dictionary(raw), write_checksum=False, write_dict_id=False
        )

    def pack(self, raw: bytes) -> bytes:
        """Compress against it; bytes that do not shrink are kept as they are. `unpack` undoes it."""
        packed = self._compressor.compress(raw)
        return packed if len(packed) < len(raw) + len(_PLAIN) else _PLAIN + raw


class Ground:
    """Earlier bytes that later ones are compressed against. For one thread."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._dictionary = _dictionary(COMMON_1 + raw)
        self._compressor: zstandard.ZstdCompressor | None = None
        self._decompressor: zstandard.ZstdDecompressor | None = None

    def pack(self, content: Content) -> bytes:
        """Compress against it; bytes that do not shrink are kept as they are."""
        if self._compressor is None:
            self._dictionary.precompute_compress(compression_params=_SEARCH)
            self._compressor = zstandard.ZstdCompressor(compression_params=_SEARCH, dict_data=self._dictionary)
        packed = _GROUND + self._compressor.compress(content.data)
        return content.mark + (packed if len(packed) <= len(content.data) else _PLAIN + content.data)

    def unpack(self, packed: bytes) -> bytes:
        """Undo `pack`.

        Raises:
            BodyCorruptError: These are not bytes that `pack` made, or the ground is another one.
        """
        if packed[:1] == _FOLDED:
            return unfold(self.unpack(packed[1:]))
        if packed[:1] != _GROUND:
            return unpack(packed)
        if self._decompressor is None:
            self._decompressor = zstandard.ZstdDecompressor(dict_data=self._dictionary)
        try:
            return self._decompressor.decompress(packed[1:], max_output_size=MAX_RAW_BYTES)
        except zstandard.ZstdError as error:
            raise BodyCorruptError(f"a stored run of bytes cannot be decompressed: {error}") from error


class _Contexts:
    """What compresses and decompresses in one thread: dear to make, and not thread-safe."""

    def __init__(self) -> None:
        common = _dictionary(COMMON_1)
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor()
        prepared = _dictionary(COMMON_1)
        prepared.precompute_compress(level=_LEVEL)
        self.common_compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=prepared, write_checksum=False, write_dict_id=False
        )
        self.thorough_compressor = zstandard.ZstdCompressor(compression_params=_SEARCH, dict_data=common)
        self.common_decompressor = zstandard.ZstdDecompressor(dict_data=common)


def _contexts() -> _Contexts:
    found: _Contexts | None = getattr(_local, "contexts", None)
    if found is None:
        found = _local.contexts = _Contexts()
    return found
