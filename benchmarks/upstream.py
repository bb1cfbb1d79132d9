"""The API's side of a measurement: a fixed answer as fast as the stand-in can, or a stream whose events carry their own time.

Run as a process of its own, so that its work is nobody else's.
"""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator

from proxy_core.standin.server import ServerSettings, StandinServer
from proxy_core.standin.wire import Journal, Part, Pause, RawHeaders, ReceivedRequest, Reply, RequestHead

_USAGE = {"input_tokens": 8, "cache_creation_input_tokens": 400, "cache_read_input_tokens": 24000, "output_tokens": 60}
_ANSWER = json.dumps(
    {
        "id": "msg_01benchmark0000000000000",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [{"type": "text", "text": "An answer of ten kilobytes. " * 350}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": _USAGE,
    }
).encode()
_HEADERS: RawHeaders = ((b"content-type", b"application/json"), (b"request-id", b"req_01benchmark"))
_STREAM: RawHeaders = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"request-id", b"req_01benchmark"))


class FixedAnswer:
    """Answers every request the same way; `/v1/messages?events=50&gap=0.02` with a stream, `?status=430` with that status."""

    def refuse(self, _head: RequestHead) -> Reply | None:
        """Let every body come."""
        return None

    async def respond(self, request: ReceivedRequest) -> Reply:
        """Answer."""
        _, _, asked = request.head.target.partition("?events=")
        if asked:
            count, _, gap_s = asked.partition("&gap=")
            return Reply(headers=_STREAM, parts=_stamped_events(int(count), float(gap_s)), has_length=False)
        _, _, status = request.head.target.partition("?status=")
        return Reply(status=int(status or 200), headers=_HEADERS, parts=(_ANSWER,))


def _stamped_events(count: int, gap_s: float) -> Iterator[Part]:
    start = {"id": "msg_01benchmark", "role": "assistant", "model": "claude-opus-5-5", "content": [], "usage": _USAGE}
    yield _event("message_start", {"message": start})
    for number in range(count):
        yield Pause(gap_s)
        yield _event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": f"word {number} "}})
    yield _event("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 60}})


def _event(kind: str, fields: dict[str, object]) -> bytes:
    payload = json.dumps({"type": kind, "sent_ns": time.monotonic_ns(), **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {payload}\n\n".encode()


def main() -> None:
    """Serve until told to stop; print the address as JSON."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_received: ended.set())
    journal = Journal(is_recording=False, keep_body_bytes=0)
    with StandinServer(FixedAnswer(), ServerSettings(backlog=2048), journal) as server:
        sys.stdout.write(json.dumps({"port": server.tls_port, "ca_path": str(server.ca_path)}) + "\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
