"""Many at once: nothing fails, nothing is lost, nothing is mixed up."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from proxy_core.certificates import Authority
from proxy_core.exchange import ExchangeState

STREAMS = 500
EVENTS = 5


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    name = await reader.readexactly(size)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(EVENTS):
        event = b"data: %s %d\n\n" % (name, number)
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    try:
        await reader.read()
    finally:
        writer.transport.abort()


@contextmanager
def _streaming_upstream(authority: Authority) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    context = authority.server_context(["localhost"], ("http/1.1",))
    start = asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context, backlog=1024)
    server = asyncio.run_coroutine_threadsafe(start, loop).result(60)
    yield server.sockets[0].getsockname()[1]

    async def stop() -> None:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)

    asyncio.run_coroutine_threadsafe(stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


async def _ask(proxy: tuple[str, int], port: int, context: ssl.SSLContext, name: bytes, connecting: asyncio.Semaphore) -> bytes:
    async with connecting:
        reader, writer = await asyncio.open_connection(*proxy)
        writer.write(b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % port)
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(context, server_hostname="localhost")
    writer.write(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))
    try:
        return await reader.readuntil(b"\r\n0\r\n\r\n")
    finally:
        writer.transport.abort()


@pytest.mark.slow
@pytest.mark.e2e
def test_five_hundred_streams_at_once(start_proxy, upstream_authority: Authority) -> None:
    proxy = start_proxy()
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    names = [b"stream-%05d" % number for number in range(STREAMS)]

    async def ask_all(port: int) -> list[bytes]:
        connecting = asyncio.Semaphore(50)
        answers = await asyncio.gather(*(_ask(proxy.address, port, context, name, connecting) for name in names))
        await asyncio.sleep(0.05)  # transports close in the loop's next turns
        return answers

    with _streaming_upstream(upstream_authority) as port:
        answers = asyncio.run(ask_all(port))
        finished = proxy.wait_finished(STREAMS, timeout_s=120)
    for name, answer in zip(names, answers, strict=True):
        assert [answer.count(b"data: %s %d\n\n" % (name, number)) for number in range(EVENTS)] == [1] * EVENTS
        assert answer.count(b"stream-") == EVENTS
    assert len(finished) == STREAMS
    assert {exchange.state for exchange in finished} == {ExchangeState.COMPLETE}
    recorded = {exchange.request_body.data: exchange.response_body for exchange in finished}
    assert set(recorded) == set(names)
    for name, body in recorded.items():
        assert body is not None
        assert body.data == b"".join(b"data: %s %d\n\n" % (name, number) for number in range(EVENTS))
    assert (proxy.feed.dropped, proxy.feed.errors) == (0, 0)
