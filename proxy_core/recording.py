"""Bodies on their way to the frozen events: put together, hashed, redacted. Runs in the consumer's thread only.

Holds a body whole up to a limit; a larger one goes ahead in pieces and leaves memory.
"""

import hashlib

from proxy_core.decoding import BodyDecoder, decode_body
from proxy_core.exchange import CapturedBody
from proxy_core.live import LiveBody, RawHeaders
from proxy_core.redacting import BodyRedaction, GrowingRedactor

HELD_BODY_BYTES = 8 * 1024 * 1024


class BodyRecording:
    """Takes a live body's chunks as they come.

    Args:
        body: Where the chunks come from.
        redaction: How secrets are found in it.
        headers: Of the message the body belongs to; for its content-encoding.
        held_limit_bytes: A body larger than this is not held.
    """

    def __init__(
        self, body: LiveBody, redaction: BodyRedaction, headers: RawHeaders, held_limit_bytes: int = HELD_BODY_BYTES
    ) -> None:
        self._body = body
        self._redaction = redaction
        self._encoding = _content_encoding(headers)
        self._held_limit_bytes = held_limit_bytes
        self._sha256 = hashlib.sha256()
        self._wire_bytes = 0
        self._released_bytes = 0
        self._held: list[bytes] = []
        self._unshown: list[bytes] = []
        self._stream: GrowingRedactor | None = None
        self._decoder: BodyDecoder | None = None
        self.is_large = False
        """The body does not fit: what came went ahead, and what comes must."""

    @property
    def is_decoded(self) -> bool:
        """What goes ahead is without its content-encoding."""
        return self._encoding is not None

    def absorb(self) -> None:
        """Take over what the hooks have put down since."""
        chunks = self._body.chunks
        while chunks:
            chunk = chunks.popleft()
            self._sha256.update(chunk)
            self._wire_bytes += len(chunk)
            self._body.volume.absorbed += len(chunk)
            self._unshown.append(chunk)
            if not self.is_large:
                self._held.append(chunk)
        self.is_large = self.is_large or self._wire_bytes > self._held_limit_bytes
        if self.is_large:
            self._held.clear()

    def grow(self) -> bytes:
        """Return redacted (and decoded) bytes that have not gone ahead yet."""
        self.absorb()
        if not self._unshown:
            return b""
        if self._decoder is None or self._stream is None:
            self._decoder = BodyDecoder(self._encoding)
            self._stream = self._redaction.growing()
        shown = self._stream.feed(self._decoder.feed(b"".join(self._unshown)))
        self._unshown.clear()
        if self.is_large:
            self._release()
        return shown

    def end(self) -> bytes:
        """Return the last bytes to go ahead of a large body, now that nothing follows."""
        shown = self.grow()
        return shown + self._stream.finish() if self._stream is not None else shown

    def captured(self) -> CapturedBody:
        """Return the body; call `end` before if it is large."""
        self.absorb()
        if self.is_large:
            assert self._stream is not None
            assert self._decoder is not None
            return self._captured(
                None,
                is_redacted=self._stream.is_redacted,
                is_decoded=self.is_decoded,
                is_truncated=self._stream.is_withheld or self._decoder.error is not None,
            )
        data = b"".join(self._held)
        return self._captured_encoded(data) if self.is_decoded else self._captured_plain(data)

    def release(self) -> None:
        """Let go of the bytes: they were handed over, or nobody will take them."""
        self.absorb()
        self._held.clear()
        self._unshown.clear()
        self._release()

    def _captured_plain(self, data: bytes) -> CapturedBody:
        redacted = self._redaction.whole(data)
        return self._captured(redacted, is_redacted=redacted is not data)

    def _captured_encoded(self, data: bytes) -> CapturedBody:
        decoded = decode_body(data, self._encoding)
        redacted = self._redaction.whole(decoded.data)
        if redacted is not decoded.data:
            return self._captured(redacted, is_redacted=True, is_decoded=True, is_truncated=not decoded.is_complete)
        if decoded.is_oversized:
            # What was not decoded could not be searched, so it is not kept.
            return self._captured(decoded.data, is_decoded=True, is_truncated=True)
        return self._captured_plain(data)

    def _captured(
        self, data: bytes | None, *, is_redacted: bool = False, is_decoded: bool = False, is_truncated: bool = False
    ) -> CapturedBody:
        return CapturedBody(
            data=data,
            wire_bytes=self._wire_bytes,
            wire_sha256=self._sha256.hexdigest(),
            is_redacted=is_redacted,
            is_decoded=is_decoded,
            is_truncated=is_truncated or self._body.is_cut,
        )

    def _release(self) -> None:
        self._body.volume.released += self._wire_bytes - self._released_bytes
        self._released_bytes = self._wire_bytes


def _content_encoding(headers: RawHeaders) -> str | None:
    values = [value.decode("latin-1") for name, value in headers if name.lower() == b"content-encoding"]
    names = [name.strip().lower() for name in ",".join(values).split(",")]
    applied = [name for name in names if name not in {"", "identity"}]
    return ", ".join(applied) or None
