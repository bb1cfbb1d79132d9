from proxy_core.certificates import Authority
from proxy_core.exchange import ExchangeState
from tests.upstreams import answer_all, connect, read_response, upstream


def test_a_request_passes_and_is_recorded(start_proxy, upstream_authority: Authority) -> None:
    response = b"HTTP/1.1 200 Fine\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nhello"
    with upstream(answer_all(response), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: secret\r\nContent-Length: 4\r\n\r\nbody")
            assert read_response(client) == response
        (finished,) = proxy.wait_finished()
    print(finished)
    assert finished.state is ExchangeState.COMPLETE
    assert finished.request_body.data == b"body"
    assert finished.response_body is not None
    assert finished.response_body.data == b"hello"
    assert proxy.feed.errors == 0, proxy.feed.last_error
