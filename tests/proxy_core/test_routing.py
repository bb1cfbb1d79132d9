"""Most of routing is seen over the wire, in `wire`; here, what only takes long there."""

import pytest

from proxy_core.server import load_mitmproxy

load_mitmproxy()  # its dependencies warn on import, and warnings are errors here

from mitmproxy import connection, options  # noqa: E402
from mitmproxy.proxy.context import Context  # noqa: E402

from proxy_core.routing import QuickNextLayer  # noqa: E402


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("data", "host"),
    [
        (b"x" * 5_000_000, None),  # searched by mitmproxy alone for hours
        (b"POST " + b"/" * 100_000, None),
        (b"GET /a HTTP/1.1\r\nX: y\r\nHost: api.anthropic.com\r\n\r\n", "api.anthropic.com"),
        (b"GET /a HTTP/1.1\r\nX: y\r\n\r\n", None),
    ],
    ids=["letters", "one long word", "request", "none"],
)
def test_a_host_is_looked_for_only_in_what_may_be_a_request(data: bytes, host: str | None) -> None:
    context = Context(connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2)), options.Options())
    assert QuickNextLayer._get_host_header(context, data, b"") == host
