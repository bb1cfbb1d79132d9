"""Opening a client's connection to the upstream: straight, or through a proxy's `CONNECT`."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

HOST = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a client gets to the upstream."""

    upstream_port: int
    proxy_port: int | None
    """`None`: no proxy between."""
    ca_path: Path
    """Root certificate that the client trusts on this way."""

    def context(self, protocol: str) -> ssl.SSLContext:
        """Return a TLS context that offers one protocol: `http/1.1` or `h2`."""
        context = ssl.create_default_context(cafile=str(self.ca_path))
        context.set_alpn_protocols([protocol])
        return context


async def open_route(route: Route, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, with TLS up to the upstream's name."""
    if route.proxy_port is None:
        return await asyncio.open_connection("127.0.0.1", route.upstream_port, ssl=context, server_hostname=HOST, limit=2**20)
    reader, writer = await asyncio.open_connection("127.0.0.1", route.proxy_port, limit=2**20)
    target = b"%b:%d" % (HOST.encode(), route.upstream_port)
    writer.write(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, target))
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise ConnectionError(head.decode("latin-1"))
    await writer.start_tls(context, server_hostname=HOST)
    return reader, writer
