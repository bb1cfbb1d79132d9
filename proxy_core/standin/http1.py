"""HTTP/1.1, the server's side: reads requests without changing a byte of what it records, writes replies that may go wrong."""

import asyncio
import socket
import struct
import time
from http import HTTPStatus

from proxy_core.standin.wire import (
    BodyIntake,
    Cut,
    Journal,
    Pause,
    RawHeaders,
    ReceivedRequest,
    Reply,
    RequestHead,
    Reset,
    Responder,
    Stall,
)

_PIECE_BYTES = 256 * 1024


class BrokenOffError(Exception):
    """The reply ended the connection on purpose."""


async def serve_http1(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    responder: Responder,
    journal: Journal,
    number: int,
    first: RequestHead | None = None,
) -> None:
    """Serve one connection until either side closes it; `first` is a head that was read already."""
    head = first or await read_head(reader, number)
    while head is not None:
        if await _exchange(reader, writer, responder, journal, head):
            return
        head = await read_head(reader, number)


async def read_head(reader: asyncio.StreamReader, number: int) -> RequestHead | None:
    """Read a request's head; `None` when the client closed the connection between requests."""
    try:
        block = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        if ended.partial:
            raise
        return None
    first, *lines = block[:-4].split(b"\r\n")
    method, target, version = first.decode("latin-1").split(" ", 2)
    return RequestHead(
        method=method,
        target=target,
        http_version=version.removeprefix("HTTP/"),
        headers=tuple(_header(line) for line in lines),
        connection_number=number,
    )


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, responder: Responder, journal: Journal, head: RequestHead
) -> bool:
    """Answer one request; true when the connection ends with it."""
    reply = responder.refuse(head)
    if reply is None:
        request = await _read_body(reader, writer, head, journal)
        journal.add(request)
        reply = await responder.respond(request)
    try:
        await _write_reply(writer, reply, has_body=head.method != "HEAD")
    except BrokenOffError:
        return True
    return reply.is_closing or (head.header("connection") or "").lower() == "close"


async def _read_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: RequestHead, journal: Journal
) -> ReceivedRequest:
    if (head.header("expect") or "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    intake = BodyIntake(journal.keep_body_bytes)
    trailers: RawHeaders = ()
    if (head.header("transfer-encoding") or "").lower() == "chunked":
        trailers = await _read_chunks(reader, intake)
    else:
        await _read_length(reader, intake, int(head.header("content-length") or 0))
    return intake.received(head, trailers, time.time_ns() // 1000)


async def _read_length(reader: asyncio.StreamReader, intake: BodyIntake, length: int) -> None:
    left = length
    while left:
        piece = await reader.read(min(left, _PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        intake.add(piece)
        left -= len(piece)


async def _read_chunks(reader: asyncio.StreamReader, intake: BodyIntake) -> RawHeaders:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        await _read_length(reader, intake, size)
        await reader.readexactly(2)
    trailers: list[tuple[bytes, bytes]] = []
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        trailers.append(_header(line[:-2]))
    return tuple(trailers)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.strip(b" \t")


async def _write_reply(writer: asyncio.StreamWriter, reply: Reply, *, has_body: bool) -> None:
    if reply.garbage is not None:
        writer.write(reply.garbage)
        raise BrokenOffError
    head = _head_bytes(reply)
    if not has_body:
        writer.write(head + b"\r\n")
    elif reply.has_length:
        await _write_whole(writer, reply, head)
    else:
        writer.write(head)
        await _write_parts(writer, reply)
    await writer.drain()


async def _write_whole(writer: asyncio.StreamWriter, reply: Reply, head: bytes) -> None:
    body = b"".join(part for part in reply.parts if isinstance(part, bytes))
    writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)


async def _write_parts(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(b"transfer-encoding: chunked\r\n\r\n")
    clock = asyncio.get_running_loop().time
    due = clock()
    for part in reply.parts:
        match part:
            case bytes():
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                await writer.drain()
            case Pause():
                due += part.seconds
                await asyncio.sleep(due - clock())
            case _:
                await break_off(writer, part)
    writer.write(b"0\r\n" + b"".join(b"%b: %b\r\n" % line for line in reply.trailers) + b"\r\n")


async def break_off(writer: asyncio.StreamWriter, part: Cut | Reset | Stall) -> None:
    """Do to the connection what the part says.

    Raises:
        BrokenOffError: always, once it is done.
    """
    await writer.drain()
    if isinstance(part, Stall):
        await asyncio.Event().wait()
    if isinstance(part, Reset):
        sock: socket.socket | None = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    raise BrokenOffError


def _head_bytes(reply: Reply) -> bytes:
    """Return the head up to where the framing header goes."""
    try:
        reason = HTTPStatus(reply.status).phrase
    except ValueError:
        reason = ""
    lines = [b"HTTP/1.1 %d %b\r\n" % (reply.status, reason.encode())]
    lines += [b"%b: %b\r\n" % header for header in reply.headers]
    if reply.is_closing:
        lines.append(b"connection: close\r\n")
    return b"".join(lines)
