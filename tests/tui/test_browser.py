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
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, web
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
    try:
        async with ClientSession(server.public_url, cookie_jar=CookieJar(unsafe=True)) as browser:
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
    async with asyncio.timeout(60):
        while not all(word in seen for word in words):
            seen += await page.receive_bytes()
    return seen


async def test_the_dashboard_is_shown_and_takes_keys(recorded_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_DATABASE", str(recorded_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    processes: list[asyncio.subprocess.Process] = []
    opening = AppService._open_app_process

    async def opened(self: AppService, *size: int) -> asyncio.subprocess.Process:
        processes.append(await opening(self, *size))
        return processes[-1]

    monkeypatch.setattr(AppService, "_open_app_process", opened)
    async with serving(COMMAND) as (server, browser):
        assert await status_of(browser, server.address) == 200
        async with browser.ws_connect("/ws?width=120&height=40", headers={"Origin": server.public_url}) as page:
            await read_until(page, b"Sources", b"github")
            await page.send_json(["stdin", "?"])
            await read_until(page, b"Everywhere")
        for process in processes:
            await asyncio.wait_for(process.wait(), 30)
