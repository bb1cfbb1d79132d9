"""mitmproxy's hooks, written down: what was asked and answered, and when.

Every hook is O(1), parses no body, does no I/O and lets no exception out: a failure in here is counted, and the
bytes go on as if nobody were watching. What need not be done before they do is done after they did.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from mitmproxy import flow as mflow
from mitmproxy import http, tcp
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Connection
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from proxy_core.client_state import ClientState
from proxy_core.clock import new_exchange_id, now_us, wall_to_us
from proxy_core.exchange import CaptureMode
from proxy_core.hook_feed import HookFeed
from proxy_core.live import LiveExchange, RawHeaders, make_tee
from proxy_core.stamps import StampedWriter

_SETTLE_S = 0.1
"""How long the last write of a response is waited for before its time counts as unknown."""
_LONGEST_AUTHORITY = 300
_AUTHORITY = re.compile(r"[\w.~%-]+(?::\d{1,5})?", re.ASCII)
_NO_BODY_METHODS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


def _fail_open(hook: Callable[..., None]) -> Callable[..., None]:
    name = hook.__name__

    @wraps(hook)
    def guarded(self: "CaptureAddon", *args: Any) -> None:
        try:
            hook(self, *args)
        except Exception as error:  # noqa: BLE001 - counted and shown; capturing must never touch the traffic
            self.feed.count_error(name, error)

    return guarded


class CaptureAddon:
    """Feeds exchanges to a `HookFeed`.

    Args:
        feed: Where they go.
        mode: How the traffic comes in.
        is_recorded: Says by host and path whether an exchange is Claude's.
        request_buffer_bytes: A larger request is streamed to the API instead of being held until it is whole.
    """

    name = "assay_capture"

    def __init__(
        self, feed: HookFeed, mode: CaptureMode, is_recorded: Callable[[str, str], bool], request_buffer_bytes: int
    ) -> None:
        self.feed = feed
        self._mode = mode
        self._is_recorded = is_recorded
        self._request_buffer_bytes = request_buffer_bytes
        self._clients: dict[str, ClientState] = {}
        self._put_off: deque[Callable[[], None]] = deque()
        """What is to be written down once the bytes at hand have gone on, in order."""
        self.proxyserver: Proxyserver | None = None
        """Set when the proxy is put together; knows the sockets."""

    @property
    def open_flows(self) -> int:
        """HTTP exchanges that are running, recorded or not."""
        return sum(len(state.open_flows) for state in self._clients.values())

    # What can wait.

    def _do_soon(self, note: Callable[[], None]) -> None:
        """Write something down when the loop is free: the other side has its bytes then, and works on them."""
        if not self._put_off:
            asyncio.get_running_loop().call_soon(self._catch_up)
        self._put_off.append(note)

    def _catch_up(self) -> None:
        """Write down what was put off: whatever comes next builds on it."""
        while self._put_off:
            self._put_off.popleft()()

    # Connections.

    @_fail_open
    def client_connected(self, client: Client) -> None:
        """Begin to note writes to a client."""
        state = self._clients[client.id] = ClientState()
        state.writer = self._stamp(client.id, client)
        if state.writer is not None:
            state.writer.on_end = self._finish_delivered

    @_fail_open
    def client_disconnected(self, client: Client) -> None:
        """Finish what the client left behind."""
        self._catch_up()
        state = self._clients.pop(client.id, None)
        if state is None:
            return
        for live in list(state.live.values()):
            if not live.is_response_done:
                live.error = live.error or "client disconnected"
                live.response_body.is_cut = True
            live.request_body.is_cut = live.request_body.is_cut or not live.is_request_done
            self.feed.finish(live)
        for live in state.writer.waiting_end if state.writer else ():
            self.feed.finish(live)  # whole, but when its last byte went out will not be known

    @_fail_open
    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Note when a connection to the API is begun."""
        state = self._clients.get(data.client.id)
        if state is not None:
            state.connect_started_us[data.server.id] = now_us()

    @_fail_open
    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Begin to note writes to the API."""
        state = self._clients.get(data.client.id)
        writer = self._stamp(data.client.id, data.server)
        if state is not None and writer is not None:
            state.servers[data.server.id] = writer

    @_fail_open
    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        """Forget a connection to the API."""
        state = self._clients.get(data.client.id)
        if state is not None and not state.open_flows:
            state.forget_server(data.server.id)

    def _stamp(self, client_id: str, connection: Connection) -> StampedWriter | None:
        handler = self.proxyserver.connections.get(client_id) if self.proxyserver else None
        io = handler.transports.get(connection) if handler else None
        if io is None or io.writer is None:
            return None
        stamped = StampedWriter(io.writer)
        io.writer = stamped  # type: ignore[assignment]
        return stamped

    # Exchanges.

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Begin a recording; decide whether the body is held or streamed."""
        self._catch_up()
        self._open(flow)
        begin = partial(self._begin, flow, flow.request.headers.fields)
        if not self._is_large(flow.request):
            self._do_soon(begin)
            return
        begin()
        self._tee(flow)
        if flow.request.stream is False:
            flow.request.stream = True

    @_fail_open
    def _open(self, flow: http.HTTPFlow) -> None:
        state = self._clients.get(flow.client_conn.id)
        if state is not None:
            state.open(flow.id)

    @_fail_open
    def _begin(self, flow: http.HTTPFlow, headers: RawHeaders) -> None:
        state = self._clients.get(flow.client_conn.id)
        if state is None:
            return
        request = flow.request
        host = _authority(request)
        # The name in the head decides, and the machine that is really asked where a head has none, two, or a wrong one.
        is_recorded = any(self._is_recorded(name, request.path) for name in (request.pretty_host, request.host))
        if not is_recorded or not self.feed.has_room():
            return
        live = LiveExchange(
            exchange_id="",
            mode=self._mode,
            connection_id=flow.client_conn.id,
            method=request.data.method,
            url=f"{request.scheme}://{host}{request.path}",
            http_version=request.data.http_version,
            headers=headers,
            request_body=self.feed.new_body(),
            response_body=self.feed.new_body(),
            client_started_us=wall_to_us(request.timestamp_start) or now_us(),
        )
        live.exchange_id = new_exchange_id(live.client_started_us)
        state.live[flow.id] = live
        self.feed.begin(live)

    @_fail_open
    def _tee(self, flow: http.HTTPFlow) -> None:
        """Record a body that is streamed to the API."""
        live = self._live(flow)
        if live is not None:
            flow.request.stream = make_tee(live.request_body)
            self.feed.announce(live)

    def _is_large(self, request: http.Request) -> bool:
        length = request.headers.get("content-length")
        if length is not None:
            return not length.isdecimal() or int(length) > self._request_buffer_bytes
        return "transfer-encoding" in request.headers or (request.is_http2 and request.method not in _NO_BODY_METHODS)

    def request(self, flow: http.HTTPFlow) -> None:
        """The request is whole."""
        if flow.request.stream:
            self._end_request(flow)
        else:
            self._do_soon(partial(self._end_request, flow))

    @_fail_open
    def _end_request(self, flow: http.HTTPFlow) -> None:
        live = self._live(flow)
        if live is None:
            return
        request = flow.request
        live.proxy_received_us = wall_to_us(request.timestamp_end) or now_us()
        if request.trailers:
            live.request_trailers = request.trailers.fields
        if request.data.content:
            live.request_body.append(request.data.content)
        live.is_request_done = True
        if live.is_response_done:
            self._expect_end(flow, live)
        elif not request.stream:
            self.feed.announce(live)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """The answer begins: it is passed on as it comes."""
        assert flow.response is not None
        self._catch_up()
        self._begin_response(flow, flow.response)
        if flow.response.stream is False and flow.response.status_code != 101:
            flow.response.stream = True

    @_fail_open
    def _begin_response(self, flow: http.HTTPFlow, response: http.Response) -> None:
        live = self._live(flow)
        state = self._clients.get(flow.client_conn.id)
        if live is None or state is None:
            return
        if state.writer is not None:
            state.writer.waiting_first.append(live)
        if response.status_code != 101:
            response.stream = make_tee(live.response_body)
        live.response_headers = response.headers.fields
        self._do_soon(partial(self._note_response, flow, response, live, state))

    @_fail_open
    def _note_response(self, flow: http.HTTPFlow, response: http.Response, live: LiveExchange, state: ClientState) -> None:
        live.first_byte_us = wall_to_us(response.timestamp_start) or now_us()
        live.reason = response.data.reason
        live.response_http_version = response.data.http_version
        state.note_forwarded(flow, live)
        live.status_code = response.status_code  # last: the consumer looks at this one first

    @_fail_open
    def response(self, flow: http.HTTPFlow) -> None:
        """The answer is whole; its last bytes are about to be written."""
        self._catch_up()
        state = self._clients.get(flow.client_conn.id)
        if state is not None and flow.response is not None and flow.response.status_code != 101:
            state.open_flows.discard(flow.id)
        live = self._live(flow)
        if live is None or flow.response is None:
            return
        live.last_byte_us = wall_to_us(flow.response.timestamp_end) or now_us()
        if flow.response.trailers:
            live.response_trailers = flow.response.trailers.fields
        if flow.response.data.content:
            live.response_body.append(flow.response.data.content)
        live.is_response_done = True
        if live.is_request_done:
            self._expect_end(flow, live)

    @_fail_open
    def error(self, flow: http.HTTPFlow) -> None:
        """The exchange broke."""
        self._catch_up()
        state = self._clients.get(flow.client_conn.id)
        if state is not None:
            state.open_flows.discard(flow.id)
        live = self._live(flow)
        if live is not None and state is not None:
            live.error = flow.error.msg if flow.error else "connection lost"
            live.request_body.is_cut = live.request_body.is_cut or not live.is_request_done
            live.response_body.is_cut = True
            state.note_forwarded(flow, live)
            self._end(flow.id, live)
        if _was_cut_off_by_api(flow):
            # Without us the client would see a lost connection here, not a page that says 502.
            flow.error = mflow.Error(mflow.Error.KILLED_MESSAGE)

    @_fail_open
    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Raw bytes after an upgrade: passed on, not kept."""
        if len(flow.messages) > 1:
            del flow.messages[:-1]

    # The end of an exchange.

    def _live(self, flow: http.HTTPFlow) -> LiveExchange | None:
        state = self._clients.get(flow.client_conn.id)
        return state.live.get(flow.id) if state else None

    def _expect_end(self, flow: http.HTTPFlow, live: LiveExchange) -> None:
        """Finish now if everything is written, else with the write that is about to come."""
        state = self._clients.get(flow.client_conn.id)
        writer = state.writer if state else None
        assert flow.response is not None
        if state is not None and live.proxy_forwarded_us is None:
            state.note_forwarded(flow, live)
        if writer is None or not _writes_after_response(flow.response, flow.request):
            live.delivered_us = writer.last_write_us if writer else None
            if live.delivered_us is not None and live.last_byte_us is not None:
                # The end was only told now; the last byte came before it was passed on.
                live.last_byte_us = min(live.last_byte_us, live.delivered_us)
            self._end(flow.id, live)
            return
        writer.waiting_end.append(live)
        asyncio.get_running_loop().call_later(_SETTLE_S, self._end, flow.id, live)
        if state is not None:
            state.forget(flow.id)

    def _finish_delivered(self, live: LiveExchange) -> None:
        self.feed.finish(live)

    def _end(self, flow_id: str, live: LiveExchange) -> None:
        state = self._clients.get(live.connection_id)
        if state is not None:
            state.forget(flow_id)
            if state.writer is not None:
                for waiting in (state.writer.waiting_first, state.writer.waiting_end):
                    if live in waiting:
                        waiting.remove(live)
        self.feed.finish(live)


def _authority(request: http.Request) -> str:
    """Return host and port for the URL that is shown: as the client wrote them, if that can stand in a URL."""
    written = request.host_header or ""
    if len(written) <= _LONGEST_AUTHORITY and _AUTHORITY.fullmatch(written):
        return written
    name = request.host if ":" not in request.host else f"[{request.host}]"
    return name if request.port == {"http": 80, "https": 443}.get(request.scheme) else f"{name}:{request.port}"


def _writes_after_response(response: http.Response, request: http.Request) -> bool:
    """Say whether something is written to the client after the `response` hook."""
    if response.stream is False or request.is_http2 or response.trailers:
        return True
    if response.data.content is not None:
        return True  # nothing was streamed: head and body are still to come
    return "chunked" in response.headers.get("transfer-encoding", "").lower()


def _was_cut_off_by_api(flow: http.HTTPFlow) -> bool:
    """Say whether the API took the request, or part of it, and then left without an answer."""
    server = flow.server_conn
    is_established = bool(server.timestamp_tls_setup if server.tls else server.timestamp_tcp_setup)
    is_clients_doing = flow.error is not None and "lient disconnected" in flow.error.msg
    return flow.response is None and is_established and not server.error and not is_clients_doing
