"""What the hooks know of one client's connection: what runs on it, its connections to the API, and what was written when."""

from dataclasses import dataclass, field

from mitmproxy import http
from mitmproxy.connection import Server

from proxy_core.clock import wall_to_us
from proxy_core.live import LiveExchange
from proxy_core.stamps import StampedWriter


@dataclass(slots=True, eq=False)
class ClientState:
    """One client connection and its connections to the API."""

    writer: StampedWriter | None = None
    servers: dict[str, StampedWriter] = field(default_factory=dict)
    """By id of mitmproxy's connection."""
    connect_started_us: dict[str, int] = field(default_factory=dict)
    connected_us: dict[str, int] = field(default_factory=dict)
    """When each was ready; read once, for mitmproxy's stamps are the wall clock's, which may be set meanwhile."""
    live: dict[str, LiveExchange] = field(default_factory=dict)
    """What is being recorded, by flow id."""
    open_flows: set[str] = field(default_factory=set)
    """All HTTP flows, recorded or not."""
    shared: set[str] = field(default_factory=set)
    """Flows that had company on this connection."""

    def open(self, flow_id: str) -> None:
        """Count a flow as running."""
        if self.open_flows:
            self.shared.update(self.open_flows)
            self.shared.add(flow_id)
        self.open_flows.add(flow_id)

    def forget(self, flow_id: str) -> None:
        """Let go of what is recorded of a flow."""
        self.live.pop(flow_id, None)
        self.shared.discard(flow_id)

    def forget_server(self, server_id: str) -> None:
        """Let go of a connection to the API."""
        self.servers.pop(server_id, None)
        self.connect_started_us.pop(server_id, None)
        self.connected_us.pop(server_id, None)

    def note_forwarded(self, flow: http.HTTPFlow, live: LiveExchange) -> None:
        """Find when the request was written, and how long it waited for a connection."""
        server = flow.server_conn
        writer = self.servers.get(server.id) or (next(reversed(self.servers.values()), None) if server.via else None)
        if live.upstream_connect_us is None:
            live.upstream_connect_us = self._connect_us(server, live)
        if writer is None or not live.is_request_done:
            return
        if server.alpn != b"h2":
            written_us = writer.last_write_us
        elif flow.id in self.shared:
            written_us = None  # others write to the same connection: whose write was the last cannot be told
        else:
            written_us = writer.last_payload_us
        if written_us is not None and written_us >= live.client_started_us:
            live.proxy_forwarded_us = written_us
            if flow.request.stream and live.proxy_received_us is not None:
                # The end was only told after the last byte was passed on.
                live.proxy_received_us = min(live.proxy_received_us, written_us)

    def _connect_us(self, server: Server, live: LiveExchange) -> int | None:
        ready_us = self.connected_us.get(server.id)
        if ready_us is None:
            ready_us = wall_to_us(server.timestamp_tls_setup if server.tls else server.timestamp_tcp_setup)
            if ready_us is None:
                return None
            self.connected_us[server.id] = ready_us
        started_us = self.connect_started_us.get(server.id) or next(reversed(self.connect_started_us.values()), ready_us)
        return max(0, ready_us - max(live.client_started_us, started_us))
