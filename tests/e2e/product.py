"""Assay itself as a process, the way a user starts it, with a stand-in where the API would be."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from proxy_core.standin.server import StandinServer

ASSAY = Path(sys.executable).with_name("assay")
ROOT = Path(__file__).resolve().parents[2]
_API_LINE = re.compile(r"JSON API on (http://\S+) ")
_PROXY_LINE = re.compile(r"proxy on http://([0-9.]+):(\d+)")


def environment(home: Path) -> dict[str, str]:
    """Return an environment with nothing of ours in it."""
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}


def towards(standin: StandinServer) -> list[str]:
    """Return the options that lead Assay's way to the API to a stand-in."""
    return ["--upstream-proxy", standin.proxy_url, "--upstream-ca", str(standin.ca_path)]


def assay(home: Path, *arguments: str, timeout_s: float = 150) -> "subprocess.CompletedProcess[bytes]":
    """Run a command of Assay to its end."""
    return subprocess.run([ASSAY, *arguments], env=environment(home), capture_output=True, timeout=timeout_s, check=False)


class Headless:
    """`assay --headless`, running."""

    def __init__(
        self, home: Path, standin: StandinServer, *options: str, has_api: bool = False, program: Sequence[str | Path] = (ASSAY,)
    ) -> None:
        api = ["--api-port", "0"] if has_api else ["--no-api"]
        command = [*program, "--headless", "--format", "json", "--port", "0", *api, *towards(standin), *options]
        self.output = bytearray()
        self._home = home
        self.process = subprocess.Popen(
            command, env=environment(home), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        address = self._said(_PROXY_LINE)
        self.host, self.port = address[1], int(address[2])
        self.api_url = self._said(_API_LINE)[1] if has_api else None
        """Where its JSON API answers; `None` when it was not asked for."""

    @property
    def proxy_url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    @property
    def certificate(self) -> Path:
        """Its root certificate, which clients have to trust."""
        return next(self._home.rglob("ca-cert.pem"))

    @property
    def api_token(self) -> str:
        """The key of its JSON API."""
        return next(self._home.rglob("api-token")).read_text().strip()

    def _said(self, line: "re.Pattern[str]") -> "re.Match[str]":
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            if found := line.search(self.output.decode()):
                return found
            self._read(0.1)
        self.kill()
        raise RuntimeError(f"Assay did not start: {self.output.decode()}")

    def _read(self, timeout_s: float) -> None:
        assert self.process.stdout is not None
        if select.select([self.process.stdout], [], [], timeout_s)[0]:
            self.output += os.read(self.process.stdout.fileno(), 65536)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=90)
        self.output += rest
        return self.process.returncode

    def kill(self) -> None:
        """Kill it as nobody can prepare for."""
        self.process.kill()
        rest, _ = self.process.communicate(timeout=60)
        self.output += rest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process.poll() is None:
            self.kill()


def files_below(directory: Path) -> Sequence[Path]:
    """Return every file."""
    return [path for path in directory.rglob("*") if path.is_file()]
