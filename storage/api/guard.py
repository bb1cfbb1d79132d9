"""Who may speak to the API: checked before any route, on the bare ASGI messages.

Host against DNS rebinding, Origin and Sec-Fetch-Site against foreign pages, the bearer token, the size of the body.
It must not look at what is asked, and answers every refusal in the envelope of all errors.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.api.errors import envelope
from storage.api.settings import ApiSettings
from storage.api.token import is_token

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""What every answer carries."""
_OPEN_PATHS = frozenset({"/healthz"})
_SINGLE = (b"host", b"origin", b"authorization", b"content-length")


class _BodyTooLargeError(HTTPException):
    """More of a body came than is read; the envelope of all errors answers it."""

    def __init__(self) -> None:
        super().__init__(413, "The body is too large")


class Guard:
    """ASGI middleware that lets only the right callers through."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings
        self._host_names = settings.host_names
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _single_headers(scope)
        origin = headers.get(b"origin", "").lower() if headers else ""
        refusal = self._refusal(scope, headers) if headers is not None else envelope(400, "A header came twice", None)
        sending = _Sending(send, origin if origin in self._origins else None)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        await self._app(scope, _LimitedBody(receive, self._settings.max_body_bytes), sending)

    def _refusal(self, scope: Scope, headers: Mapping[bytes, str]) -> Response | None:
        foreign = self._foreign(headers)
        if foreign is not None:
            return envelope(403, *foreign)
        if scope["method"] == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers:
            return _preflight()
        if not self._is_authorised(scope["path"], headers.get(b"authorization")):
            refusal = envelope(401, "A bearer token is needed", "`assay token` shows it")
            refusal.headers["www-authenticate"] = "Bearer"
            return refusal
        return self._bad_length(headers.get(b"content-length", "0"))

    def _bad_length(self, length: str) -> Response | None:
        if not length.isascii() or not length.isdigit():
            return envelope(400, "The Content-Length header is no number", None)
        return self._too_large() if int(length[:19]) > self._settings.max_body_bytes else None

    def _foreign(self, headers: Mapping[bytes, str]) -> tuple[str, str] | None:
        """Say what is foreign about the caller, and how it is told."""
        host = headers.get(b"host", "")
        if _host_name(host) not in self._host_names:
            return "This name is not served here", "the Host header names another machine"
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own_origin(origin, host):
            return "Pages of other origins are not served", "name the origin in the settings to allow it"
        if origin is None and headers.get(b"sec-fetch-site", "none") not in {"none", "same-origin"}:
            return "Pages of other origins are not served", "the browser says the request comes from another site"
        return None

    def _is_own_origin(self, origin: str, host: str) -> bool:
        return origin.lower() in self._origins or origin.lower() == f"http://{host.lower()}"

    def _is_authorised(self, path: str, authorization: str | None) -> bool:
        expected = self._settings.token
        if expected is None or path in _OPEN_PATHS:
            return True
        scheme, _, given = (authorization or "").partition(" ")
        return is_token(given.strip(), expected) and scheme.lower() == "bearer"

    def _too_large(self) -> Response:
        return envelope(413, "The body is too large", f"at most {self._settings.max_body_bytes} bytes are read")


class _LimitedBody:
    """Counts the body as it is read, whatever Content-Length said."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._left = limit_bytes

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise _BodyTooLargeError
        return message


class _Sending:
    """Adds the headers every answer carries."""

    def __init__(self, send: Send, allowed_origin: str | None) -> None:
        self._send = send
        self._allowed_origin = allowed_origin

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *SAFE_HEADERS]
            if self._allowed_origin is not None:
                headers += [(b"access-control-allow-origin", self._allowed_origin.encode("latin-1")), (b"vary", b"origin")]
            message = {**message, "headers": headers}
        await self._send(message)


def _single_headers(scope: Scope) -> dict[bytes, str] | None:
    """Return the headers by name, or `None` when one that decides came twice."""
    headers: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _SINGLE and name in headers:
            return None
        headers[name] = value.decode("latin-1")
    return headers


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port; empty when it is none."""
    try:
        parts = urlsplit(f"//{host}")
        if parts.netloc != host or "@" in host:
            return ""
        _ = parts.port
    except ValueError:
        return ""
    return (parts.hostname or "").lower()


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": "GET, POST, PUT, DELETE",
            "access-control-allow-headers": "authorization, content-type, last-event-id",
            "access-control-max-age": "600",
        },
    )
