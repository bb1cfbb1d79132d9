"""The dashboard in a web browser, by textual-serve: one process of ours for each page that is opened.

Whoever sees the page reads every prompt, so it opens only with the token of this start, only under a loopback name (no foreign
name that points here), and never to a page of another site. It asks no other host for anything.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

_ELSEWHERE: Final = re.compile(r"<link\b[^>]*?href=\"https?://(?!127\.0\.0\.1|localhost|\[::1\])[^>]*>")
_TAKE_KEYS: Final = """
const waiting = setInterval(() => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys && document.body.classList.contains("-first-byte")) { keys.focus(); clearInterval(waiting); }
}, 50);
"""
"""Keys work at once, without a click into the page."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HEARTBEAT_S: Final = 15.0
_FAREWELL_S: Final = 2.0
"""How long a page may take to say that it has closed."""


class _Page(AppService):
    """The process behind a page that is open."""

    async def stop(self) -> None:
        """End it, and wait until it has ended: the event loop must not be closed before."""
        await super().stop()
        if self._process is not None:
            await self._process.wait()


class BrowserServer(Server):
    """Serves the dashboard to the person who started it.

    Args:
        command: Shell line that runs the dashboard.
        host: Loopback address to serve on.
        port: Port to serve on.
    """

    def __init__(self, command: str, host: str, port: int) -> None:
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__(command, host=host, port=port, title="assay", public_url=f"http://{authority}")
        self._token = secrets.token_urlsafe(24)
        self._cookie = f"assay_{port}"
        self._authority = authority
        self._open: set[web.WebSocketResponse] = set()

    @property
    def address(self) -> str:
        """The address to open, token included."""
        return f"{self.public_url}/?token={self._token}"

    def initialize_logging(self) -> None:
        """Keep quiet: addresses hold the token."""

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing: the command has said where to look."""

    async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002 - all of them are ours
        """Close the pages that are open: they would be waited for."""
        await asyncio.gather(*(page.close(code=WSCloseCode.GOING_AWAY) for page in self._open))

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Show the dashboard on a page until either of them ends."""
        link = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, timeout=_FAREWELL_S)
        await link.prepare(request)
        page = _Page(
            self.command,
            write_bytes=link.send_bytes,
            write_str=link.send_str,
            close=link.close,  # type: ignore[arg-type]  # it also says whether it was open
            download_manager=self.download_manager,
        )
        self._open.add(link)
        try:
            await page.start(to_int(request.query.get("width", ""), 80), to_int(request.query.get("height", ""), 24))
            await self._process_messages(link, page)
        finally:
            self._open.discard(link)
            await page.stop()
        return link

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in only the person who has the token, from a page of ours."""
        if request.host != self._authority or request.headers.get("Origin") not in {None, self.public_url}:
            raise web.HTTPForbidden(text=f"This page is {self.public_url}, for nobody else.")
        if secrets.compare_digest(request.query.get("token", "").encode(), self._token.encode()):
            answer = web.HTTPFound("/")
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
            raise answer
        if not secrets.compare_digest(request.cookies.get(self._cookie, "").encode(), self._token.encode()):
            raise web.HTTPUnauthorized(text="Open the address that assay serve printed: it holds the token.")
        return await handler(request)

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Answer with the page, without what it would fetch from elsewhere."""
        page = await super().handle_index(request)
        assert isinstance(page, web.Response), "rendered from a template"
        text = _ELSEWHERE.sub("<title>assay</title>", page.text or "")
        page.text = text.replace("</body>", f"<script>{_TAKE_KEYS}</script></body>")
        page.headers["Content-Security-Policy"] = _POLICY.format(host=self._authority)
        page.headers["Referrer-Policy"] = "no-referrer"
        return page
