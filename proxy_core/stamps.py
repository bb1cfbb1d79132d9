"""When bytes were really written: a stream writer that notes the time of each write.

Sits between mitmproxy and its sockets on both paths, public API only, so the times of an exchange do not depend
on which hook ran when.
"""

from collections.abc import Callable
from typing import Any

from proxy_core.clock import now_us
from proxy_core.live import LiveExchange

_CONTROL_BYTES = 128
"""HTTP/2 settings, pings and window updates, encrypted, stay below this."""


class StampedWriter:
    """Passes everything on to a writer and notes when.

    Args:
        writer: mitmproxy's own.
    """

    __slots__ = ("_writer", "last_payload_us", "last_write_us", "on_end", "waiting_end", "waiting_first")

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.last_write_us: int | None = None
        self.last_payload_us: int | None = None
        """The last write too large to be HTTP/2 housekeeping."""
        self.waiting_first: list[LiveExchange] = []
        """Their first byte has not been written yet."""
        self.waiting_end: list[LiveExchange] = []
        """All but their last bytes have been written."""
        self.on_end: Callable[[LiveExchange], None] | None = None
        """Told when the last byte of one was written."""

    def write(self, data: bytes) -> None:
        """Write, and note the time."""
        self._writer.write(data)
        self.last_write_us = written_us = now_us()
        if len(data) >= _CONTROL_BYTES:
            self.last_payload_us = written_us
        if self.waiting_first:
            for live in self.waiting_first:
                live.first_byte_delivered_us = written_us
            self.waiting_first.clear()
        if self.waiting_end:
            ended, self.waiting_end = self.waiting_end, []
            for live in ended:
                live.delivered_us = written_us
                if self.on_end is not None:
                    self.on_end(live)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)
