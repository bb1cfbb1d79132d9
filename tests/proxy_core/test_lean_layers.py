"""What the shortened way does is compared on both paths in `wire`; here, what no client can see."""

from contextlib import suppress
from pathlib import Path

import pytest

from proxy_core.server import load_mitmproxy

load_mitmproxy()  # its dependencies warn on import, and warnings are errors here

import h2.events  # noqa: E402
from mitmproxy import connection, options, optmanager  # noqa: E402
from mitmproxy.proxy import layer  # noqa: E402
from mitmproxy.proxy.context import Context  # noqa: E402
from mitmproxy.proxy.layers import modes  # noqa: E402
from OpenSSL import SSL  # noqa: E402

from proxy_core import lean_layers  # noqa: E402
from proxy_core.certificates import open_authority  # noqa: E402
from proxy_core.lean_layers import find_tunnel  # noqa: E402
from proxy_core.lean_master import lean_patches  # noqa: E402


def test_options_are_asked_for_without_a_copy_unless_they_could_be_changed() -> None:
    opts = optmanager.OptManager()
    opts.add_option("number", int, 3, "")
    with lean_patches():
        assert opts.number == 3
        opts.number = 4
        assert opts.number == 4
        option = optmanager._Option("names", object, ["a"], "", None)
        option.current().append("b")
        assert option.current() == ["a"]


def test_connections_are_the_same_by_their_id() -> None:
    one = connection.Server(address=("localhost", 1))
    other = connection.Server(address=("localhost", 1))
    with lean_patches():
        assert one == one  # noqa: PLR0124 - asked on purpose
        assert one != other
        assert one != "no connection"
        other.id = one.id
        assert one == other
        assert hash(one) == hash(other)


def test_a_context_is_copied_as_before() -> None:
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), state=connection.ConnectionState.OPEN)
    context = Context(client, options.Options())
    context.server = connection.Server(address=("localhost", 3))
    context.layers = [modes.HttpProxy(context)]
    stock = context.fork()
    with lean_patches():
        lean = context.fork()
        assert vars(lean) == vars(stock)
    lean.layers.clear()
    assert len(context.layers) == 1


@pytest.fixture
def pair(tmp_path: Path) -> tuple[SSL.Connection, SSL.Connection]:
    leaf = open_authority(tmp_path).issue(["localhost"])
    server, client = SSL.Connection(SSL.Context(SSL.TLS_SERVER_METHOD)), SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    server.use_certificate(leaf.certificate)
    server.use_privatekey(leaf.private_key)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            for record in lean_layers._outgoing(one):
                other.bio_write(record)
    return server, client


@pytest.mark.parametrize("size", [1, 16_384, 128 * 1024, 128 * 1024 + 1, 1_500_000])
def test_what_is_encrypted_is_decrypted(pair: tuple[SSL.Connection, SSL.Connection], size: int) -> None:
    server, client = pair
    data = bytes(range(251)) * (size // 251 + 1)
    records = list(lean_layers._encrypt(client, data[:size]))
    assert len(records) >= size // (256 * 1024)
    received = []
    for chunk in (b"".join(records)[:-7], b"".join(records)[-7:]):
        plaintext, end = lean_layers._decrypt(server, chunk)
        assert end is None
        received.append(plaintext)
    assert b"".join(received) == data[:size]


def test_the_end_of_a_connection_is_told_with_what_came_before_it(pair: tuple[SSL.Connection, SSL.Connection]) -> None:
    server, client = pair
    records = b"".join(lean_layers._encrypt(client, b"last"))
    client.shutdown()
    plaintext, end = lean_layers._decrypt(server, records + b"".join(lean_layers._outgoing(client)))
    assert plaintext == b"last"
    assert isinstance(end, SSL.ZeroReturnError)


def test_what_is_no_record_is_an_error(pair: tuple[SSL.Connection, SSL.Connection]) -> None:
    _, end = lean_layers._decrypt(pair[0], b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert isinstance(end, SSL.Error)


def test_there_is_no_tunnel_before_a_client_has_asked_for_one() -> None:
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
    context = Context(client, options.Options())
    assert find_tunnel(layer.NextLayer(context)) is None
    assert find_tunnel(modes.HttpProxy(context)) is None


def test_frames_of_one_body_that_come_together_are_one_event() -> None:
    def frame(stream: int, data: bytes, *, is_last: bool = False) -> h2.events.DataReceived:
        ended = h2.events.StreamEnded(stream_id=stream) if is_last else None
        return h2.events.DataReceived(stream_id=stream, data=data, flow_controlled_length=len(data) + 1, stream_ended=ended)

    pinged = h2.events.PingReceived(ping_data=b"12345678")
    run = [frame(1, b"a"), frame(1, b"b"), frame(1, b"", is_last=True)]
    joined = lean_layers._joined(run)
    assert (joined.data, joined.flow_controlled_length, joined.stream_ended) == (b"ab", 5, run[2].stream_ended)
    came = [frame(1, b"a"), frame(3, b"b"), frame(3, b"c"), pinged, frame(3, b"d")]
    merged = lean_layers._merged(came)
    assert [getattr(event, "data", None) for event in merged] == [b"a", b"bc", None, b"d"]
    assert lean_layers._merged([]) == []
