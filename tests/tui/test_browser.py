"""The dashboard in a browser: it works without a terminal, and only for whoever has the address that was printed."""

import asyncio
import os
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, WSCloseCode, web
from textual_serve.app_service import AppService

from tui.browser import BrowserServer

COMMAND = shlex.join([sys.executable, "-c", "from tui.cli.main import main; main()", "view"])


@asynccontextmanager
async def serving(command: str = "true") -> AsyncIterator[tuple[BrowserServer, ClientSession]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = BrowserServer(command, "127.0.0.1", port)
    runner = web.AppRunner(await server._make_app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with ClientSession(server.public_url, cookie_jar=CookieJar(unsafe=True)) as browser:
        try:
            yield server, browser
        finally:
            await runner.cleanup()


async def status_of(browser: ClientSession, path: str, **headers: str) -> int:
    async with browser.get(path, headers=headers) as answer:
        return answer.status


async def test_the_printed_address_opens_the_page_and_no_other_does() -> None:
    async with serving() as (server, browser):
        for path in ("/", "/ws", "/static/js/textual.js", "/?token=", "/?token=wrong", "/?token=%E2%82%AC"):
            assert await status_of(browser, path) == 401
        async with browser.get(server.address) as answer:
            assert (answer.status, answer.url.query_string) == (200, "")
            page = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
        assert "<title>assay</title>" in page
        assert "googleapis" not in page
        assert "keys.focus()" in page
        assert f"ws://127.0.0.1:{server.port}/ws" in page
        assert f"ws://127.0.0.1:{server.port};" in policy
        assert await status_of(browser, "/static/js/textual.js") == 200


async def test_no_foreign_name_and_no_foreign_page_gets_in_with_the_cookie() -> None:
    async with serving() as (server, browser):
        assert await status_of(browser, server.address) == 200
        assert await status_of(browser, "/", Origin=server.public_url) == 200
        assert await status_of(browser, "/ws", Origin="https://evil.example") == 403
        assert await status_of(browser, "/", Host="evil.example") == 403
        assert await status_of(browser, f"/?{server.address.partition('?')[2]}", Host=f"evil.example:{server.port}") == 403


async def read_until(page: ClientWebSocketResponse, *words: bytes) -> bytes:
    """Read what the terminal in the page is sent until all words were in it."""
    seen = b""
    async with asyncio.timeout(150):
        while not all(word in seen for word in words):
            seen += await page.receive_bytes()
    return seen


@pytest.fixture
def processes(recorded_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[asyncio.subprocess.Process]:
    """Those behind the pages, which show a database."""
    monkeypatch.setenv("ASSAY_DATABASE", str(recorded_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    opened: list[asyncio.subprocess.Process] = []
    opening = AppService._open_app_process

    async def open_and_note(self: AppService, *size: int) -> asyncio.subprocess.Process:
        opened.append(await opening(self, *size))
        return opened[-1]

    monkeypatch.setattr(AppService, "_open_app_process", open_and_note)
    return opened


async def test_the_dashboard_is_shown_and_takes_keys(processes: list[asyncio.subprocess.Process]) -> None:
    async with serving(COMMAND) as (server, browser):
        assert await status_of(browser, server.address) == 200
        async with browser.ws_connect("/ws?width=120&height=40", headers={"Origin": server.public_url}) as page:
            await read_until(page, b"Sources", b"github")
            await page.send_json(["stdin", "?"])
            await read_until(page, b"Everywhere")
        for process in processes:
            await asyncio.wait_for(process.wait(), 90)


async def test_it_ends_with_a_page_open_and_leaves_no_process(processes: list[asyncio.subprocess.Process]) -> None:
    async def read_to_the_end(page: ClientWebSocketResponse) -> int | None:
        async for _ in page:
            pass
        return page.close_code

    async with asyncio.timeout(120):
        async with serving(COMMAND) as (server, browser):
            assert await status_of(browser, server.address) == 200
            page = await browser.ws_connect("/ws?width=120&height=40")
            await read_until(page, b"Sources")
            reading = asyncio.create_task(read_to_the_end(page))
        assert await reading == WSCloseCode.GOING_AWAY
    assert [process.returncode for process in processes] == [0]
