"""A whole Assay over a stand-in for the API, on free ports, in a directory of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.client import ClientReply, ProxiedClient
from proxy_core.standin.server import StandinServer
from tui.config import load_settings
from tui.runtime import Runtime
from tui.settings import Settings

KEY = "sk-ant-api03-planted-key-0123456789"
BODY = b'{"model":"claude-sonnet-4-6","max_tokens":64,"messages":[{"role":"user","content":"Why does the build fail?"}]}'
HEADERS = (("x-api-key", KEY), ("anthropic-version", "2023-06-01"), ("content-type", "application/json"))


@contextmanager
def standin() -> Iterator[StandinServer]:
    """Run a stand-in that answers at once."""
    with StandinServer(MessagesApi(ApiSettings())) as server:
        yield server


def settings_for(directory: Path, api: StandinServer) -> Settings:
    """Return settings for free ports and the stand-in as the way out."""
    settings = load_settings({"data_dir": str(directory), "port": 0, "api_port": 0}, environ={})
    return replace(settings, upstream_proxy=api.proxy_url, upstream_ca=api.ca_path)


def options_for(directory: Path, api: StandinServer) -> list[str]:
    """Return the same as options."""
    return ["--data-dir", str(directory), "--upstream-proxy", api.proxy_url, "--upstream-ca", str(api.ca_path)]


def ask(runtime: Runtime, body: bytes = BODY, path: str = "/v1/messages") -> ClientReply:
    """Send one request through a runtime, as a client would."""
    client = ProxiedClient(runtime.address.socket_address, runtime.address.certificate)
    try:
        return client.send("POST", path, HEADERS, body)
    finally:
        client.close()
