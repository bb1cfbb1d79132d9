"""Run the stand-in by itself until it is interrupted; its addresses go to standard output as one line of JSON."""

import json
import signal
import sys

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.server import StandinServer


def main() -> None:
    """Serve the echo scenario at a model's pace."""
    with StandinServer(MessagesApi(ApiSettings(pace=Pace(first_event_s=0.3, event_s=0.02)))) as server:
        addresses = {"url": server.url, "proxy_url": server.proxy_url, "ca_path": str(server.ca_path)}
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
