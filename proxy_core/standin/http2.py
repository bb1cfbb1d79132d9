"""HTTP/2, the server's side, over the `h2` library: the same replies and misbehaviours as over HTTP/1.1."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from proxy_core.standin.http1 import BrokenOffError, break_off
from proxy_core.standin.wire import (
    BodyIntake,
    Cut,
    Journal,
    Part,
    Pause,
    RawHeaders,
    Reply,
    RequestHead,
    Reset,
    Responder,
    Stall,
)

_WINDOW_BYTES = 16 * 1024 * 1024


class _Upload:
    """A request that is still coming in."""

    def __init__(self, head: RequestHead, keep_body_bytes: int) -> None:
        self.head = head
        self.intake = BodyIntake(keep_body_bytes)
        self.trailers: RawHeaders = ()


class Http2Connection:
    """One connection and the streams on it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        responder: Responder,
        journal: Journal,
        number: int,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._responder, self._journal, self._number = responder, journal, number
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        self._h2 = h2.connection.H2Connection(config)
        self._uploads: dict[int, _Upload] = {}
        self._answers: dict[int, asyncio.Task[None]] = {}
        self._window_opened = asyncio.Event()

    async def serve(self) -> None:
        """Serve until either side closes the connection."""
        self._h2.initiate_connection()
        self._h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES})
        self._h2.increment_flow_control_window(_WINDOW_BYTES)
        self._flush()
        try:
            while received := await self._reader.read(65536):
                for event in self._h2.receive_data(received):
                    self._handle(event)
                self._flush()
        except h2.exceptions.ProtocolError:
            self._flush()
        finally:
            await self._stop_answers()

    async def _stop_answers(self) -> None:
        answers = list(self._answers.values())
        for answer in answers:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)

    def _handle(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._begin(event)
            case h2.events.DataReceived():
                self._take(event)
            case h2.events.TrailersReceived():
                if upload := self._uploads.get(event.stream_id):
                    upload.trailers = _raw(event.headers)
            case h2.events.StreamEnded():
                self._complete(event.stream_id)
            case h2.events.StreamReset():
                self._forget(event.stream_id)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._window_opened.set()
            case _:
                pass

    def _begin(self, event: h2.events.RequestReceived) -> None:
        headers = _raw(event.headers)
        pseudo = {name: value.decode("latin-1") for name, value in headers if name.startswith(b":")}
        head = RequestHead(
            method=pseudo.get(b":method", ""),
            target=pseudo.get(b":path", ""),
            http_version="2",
            headers=headers,
            connection_number=self._number,
        )
        refusal = self._responder.refuse(head)
        if refusal is not None:
            self._start(event.stream_id, self._send(event.stream_id, refusal))
        else:
            self._uploads[event.stream_id] = _Upload(head, self._journal.keep_body_bytes)

    def _take(self, event: h2.events.DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if upload := self._uploads.get(event.stream_id):
            upload.intake.add(event.data)

    def _complete(self, stream_id: int) -> None:
        if upload := self._uploads.pop(stream_id, None):
            self._start(stream_id, self._answer(stream_id, upload))

    def _forget(self, stream_id: int) -> None:
        self._uploads.pop(stream_id, None)
        if answer := self._answers.get(stream_id):
            answer.cancel()

    def _start(self, stream_id: int, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._answers[stream_id] = task
        task.add_done_callback(lambda _done: self._answers.pop(stream_id, None))

    async def _answer(self, stream_id: int, upload: _Upload) -> None:
        request = upload.intake.received(upload.head, upload.trailers, time.time_ns() // 1000)
        self._journal.add(request)
        reply = await self._responder.respond(request)
        await self._send(stream_id, replace(reply, parts=(), has_length=True) if upload.head.method == "HEAD" else reply)

    async def _send(self, stream_id: int, reply: Reply) -> None:
        try:
            await self._write_reply(stream_id, reply)
        except BrokenOffError:
            self._writer.close()
        except (h2.exceptions.ProtocolError, ConnectionError):
            pass  # the client left this stream; its error is its own

    async def _write_reply(self, stream_id: int, reply: Reply) -> None:
        if reply.garbage is not None:
            self._writer.write(reply.garbage)
            raise BrokenOffError
        headers = [(b":status", b"%d" % reply.status), *reply.headers]
        parts = reply.parts
        if reply.has_length:
            whole = b"".join(part for part in parts if isinstance(part, bytes))
            headers.append((b"content-length", b"%d" % len(whole)))
            parts = (whole,)
        self._h2.send_headers(stream_id, headers)
        if not reply.has_length:
            self._flush()
        if await self._write_parts(stream_id, parts):
            return
        if reply.trailers:
            self._h2.send_headers(stream_id, list(reply.trailers), end_stream=True)
        else:
            self._h2.end_stream(stream_id)
        self._flush()
        await self._writer.drain()
        if reply.is_closing:
            raise BrokenOffError

    async def _write_parts(self, stream_id: int, parts: Iterable[Part]) -> bool:
        """Send the body; true when the stream was cut on the way."""
        clock = asyncio.get_running_loop().time
        due = clock()
        for part in parts:
            match part:
                case bytes():
                    await self._write_data(stream_id, part)
                case Pause():
                    due += part.seconds
                    await asyncio.sleep(due - clock())
                case Cut():
                    self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
                    self._flush()
                    return True
                case Reset() | Stall():
                    await break_off(self._writer, part)
        return False

    async def _write_data(self, stream_id: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if room <= 0:
                self._window_opened.clear()
                self._flush()
                await self._window_opened.wait()
                continue
            self._h2.send_data(stream_id, bytes(view[:room]))
            view = view[room:]
            if len(view) > _WINDOW_BYTES:
                self._flush()
                await self._writer.drain()
        self._flush()
        await self._writer.drain()

    def _flush(self) -> None:
        if outgoing := self._h2.data_to_send():
            self._writer.write(outgoing)


def _raw(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    return tuple((bytes(name), bytes(value)) for name, value in headers)
