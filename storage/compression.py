"""zstd, as storage uses it: small runs of bytes, many of which look like one seen before.

A packed run says by its first byte whether it is left as it is, plain zstd, or zstd with the built-in dictionary of what the
Messages API always says, or with that and a ground: earlier bytes of the same conversation. Delta coding is zstd with an
earlier run as its dictionary. Both are of depth one, never a chain, so that a run needs at most one other to be read.
"""

import threading

import zstandard

from storage.common_text import COMMON_1
from storage.errors import BodyCorruptError

_LEVEL = 6
_GROUND_LEVEL = 9
_THOROUGH_LEVEL = 11
_QUICK_USES = 2
"""Bodies packed against a ground before its dictionary is prepared thoroughly."""
_PLAIN = b"\x00"
"""Marks bytes that are kept as they are; no zstd frame begins with it."""
_COMMON = b"\x01"
"""Marks zstd with the dictionary of number 1."""
_GROUND = b"\x02"
"""Marks zstd with the dictionary of number 1 and a ground."""
_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_COMMON_BYTES = 64 * 1024
"""Longer runs gain nothing from the dictionary."""
MAX_RAW_BYTES = 64 * 1024 * 1024
"""No packed run is larger; a frame that claims to be is damaged."""

_local = threading.local()


def pack(raw: bytes, base: bytes | None = None) -> bytes:
    """Compress, against `base` where there is one; bytes that do not shrink are kept as they are."""
    if base is not None:
        packed = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_dictionary(base), write_checksum=False, write_dict_id=False
        ).compress(raw)
    elif len(raw) <= _LONGEST_COMMON_BYTES:
        packed = _COMMON + _contexts().common_compressor.compress(raw)
    else:
        packed = _contexts().compressor.compress(raw)
    return packed if len(packed) < len(raw) + len(_PLAIN) else _PLAIN + raw


def unpack(packed: bytes, base: bytes | None = None) -> bytes:
    """Undo `pack`.

    Raises:
        BodyCorruptError: These are not bytes that `pack` made, or the base is another one.
    """
    if packed[:1] == _PLAIN:
        return packed[1:]
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
    common = _dictionary(COMMON_1)
    thorough = zstandard.ZstdCompressor(level=_GROUND_LEVEL, dict_data=common, write_checksum=False, write_dict_id=False)
    packed = _COMMON + thorough.compress(raw)
    return packed if len(packed) <= len(raw) else _PLAIN + raw


class Ground:
    """Earlier bytes that later ones are compressed against. For one thread.

    Preparing a dictionary well takes milliseconds, which only a conversation that goes on gives back.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._dictionary = _dictionary(COMMON_1 + raw)
        self._compressor: zstandard.ZstdCompressor | None = None
        self._decompressor: zstandard.ZstdDecompressor | None = None
        self.uses = 0
        """Bodies packed against it."""

    def begin(self) -> None:
        """Say that another body is going to be packed against it."""
        self.uses += 1
        if self.uses == 1:
            self._compressor = self._compressing(_LEVEL)
        elif self.uses == _QUICK_USES + 1:
            self._dictionary.precompute_compress(level=_THOROUGH_LEVEL)
            self._compressor = self._compressing(_THOROUGH_LEVEL)

    def pack(self, raw: bytes) -> bytes:
        """Compress against it; bytes that do not shrink are kept as they are. Call `begin` before."""
        assert self._compressor is not None
        packed = _GROUND + self._compressor.compress(raw)
        return packed if len(packed) <= len(raw) else _PLAIN + raw

    def unpack(self, packed: bytes) -> bytes:
        """Undo `pack`.

        Raises:
            BodyCorruptError: These are not bytes that `pack` made, or the ground is another one.
        """
        if packed[:1] != _GROUND:
            return unpack(packed)
        if self._decompressor is None:
            self._decompressor = zstandard.ZstdDecompressor(dict_data=self._dictionary)
        try:
            return self._decompressor.decompress(packed[1:], max_output_size=MAX_RAW_BYTES)
        except zstandard.ZstdError as error:
            raise BodyCorruptError(f"a stored run of bytes cannot be decompressed: {error}") from error

    def _compressing(self, level: int) -> zstandard.ZstdCompressor:
        return zstandard.ZstdCompressor(level=level, dict_data=self._dictionary, write_checksum=False, write_dict_id=False)


class _Contexts:
    """What compresses and decompresses in one thread: dear to make, and not thread-safe."""

    def __init__(self) -> None:
        common = _dictionary(COMMON_1)
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor()
        self.common_compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=common, write_checksum=False, write_dict_id=False
        )
        self.common_decompressor = zstandard.ZstdDecompressor(dict_data=common)


def _contexts() -> _Contexts:
    found: _Contexts | None = getattr(_local, "contexts", None)
    if found is None:
        found = _local.contexts = _Contexts()
    return found
