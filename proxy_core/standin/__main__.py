"""Run the stand-in by itself until it is interrupted; its addresses go to standard output as one line of JSON."""

import json
import signal
import sys
import threading

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.server import StandinServer


def main() -> None:
    """Serve the echo scenario at a model's pace."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_received: ended.set())
    with StandinServer(MessagesApi(ApiSettings(pace=Pace(first_event_s=0.3, event_s=0.02)))) as server:
        addresses = {"url": server.url, "proxy_url": server.proxy_url, "ca_path": str(server.ca_path)}
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
