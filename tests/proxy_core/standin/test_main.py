"""The stand-in as a program of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path


def test_it_prints_where_it_listens_and_stops_when_told():
    process = subprocess.Popen([sys.executable, "-m", "proxy_core.standin"], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert addresses["url"].startswith("https://localhost:")
        assert Path(addresses["ca_path"]).exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not Path(addresses["ca_path"]).exists()
