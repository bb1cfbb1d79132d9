"""Amazon's binary event stream: the frames in which Bedrock wraps the events of a Messages stream.

A frame is: total length, headers' length, checksum (4 bytes each, big-endian), headers, payload, checksum. The payload is JSON
with the event, base64-encoded, under `bytes`. A frame that is cut off or broken ends the reading; nothing raises.
"""

import base64
import binascii
import json
import struct
from collections.abc import Iterator, Mapping

from proxy_core.dialects.sse import ServerSentEvent

_PRELUDE = struct.Struct(">III")
_TRAILER_BYTES = 4


def read_amazon_events(body: bytes) -> Iterator[ServerSentEvent]:
    """Read the events inside the frames of a stream."""
    offset = 0
    while offset + _PRELUDE.size + _TRAILER_BYTES <= len(body):
        frame_bytes, header_bytes, _ = _PRELUDE.unpack_from(body, offset)
        end = offset + frame_bytes
        if frame_bytes < _PRELUDE.size + header_bytes + _TRAILER_BYTES or end > len(body):
            return
        payload = body[offset + _PRELUDE.size + header_bytes : end - _TRAILER_BYTES]
        offset = end
        if event := _event(payload):
            yield event


def _event(payload: bytes) -> ServerSentEvent | None:
    try:
        wrapped = json.loads(payload)
        data = wrapped.get("bytes") if isinstance(wrapped, Mapping) else None
        if isinstance(data, str):
            return ServerSentEvent("chunk", base64.b64decode(data).decode("utf-8", errors="replace"))
    except (ValueError, RecursionError, binascii.Error):
        return None
    if not isinstance(wrapped, Mapping) or not isinstance(wrapped.get("message"), str):
        return None
    return ServerSentEvent("error", json.dumps({"type": "error", "error": {"message": wrapped["message"]}}))
