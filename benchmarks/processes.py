"""Starting what is compared, each as a process of its own, and reading what it uses."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.connecting import Route

ROOT = Path(__file__).resolve().parent.parent
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_START_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing to be measured."""

    name: str
    """`direct`, `mitmdump` or `assay`."""
    route: Route
    pid: int | None
    """`None` for direct."""
    threads: dict[str, int] = field(default_factory=dict)
    """Names and native ids of threads, where the process tells them."""


class Contestants(AbstractContextManager["Contestants"]):
    """The upstream and everything between it and the clients."""

    def __init__(self, directory: Path, *, is_stock: bool = False) -> None:
        self._directory = directory
        self._is_stock = is_stock
        self._stack = ExitStack()
        self.targets: list[Target] = []

    def __enter__(self) -> Self:
        upstream = self._start([sys.executable, "-m", "benchmarks.upstream"], stdout=subprocess.PIPE)
        assert upstream.stdout is not None
        where = json.loads(upstream.stdout.readline())
        port, ca_path = int(where["port"]), Path(where["ca_path"])
        self.targets = [
            Target(name="direct", route=Route(upstream_port=port, proxy_port=None, ca_path=ca_path), pid=None),
            self._start_mitmdump(port, ca_path),
            self._start_assay(port, ca_path),
        ]
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def target(self, name: str) -> Target:
        """Return one of them by name."""
        return next(target for target in self.targets if target.name == name)

    def _start(self, command: list[str], **options: object) -> "subprocess.Popen[str]":
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environment |= {"HOME": str(self._directory), "XDG_CONFIG_HOME": str(self._directory / "config")}
        if self._is_stock:
            environment["ASSAY_STOCK_MASTER"] = "1"
        process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **options)  # type: ignore[call-overload]
        self._stack.callback(_end, process)
        return process

    def _start_mitmdump(self, upstream_port: int, upstream_ca: Path) -> Target:
        port, home = free_port(), self._directory / "mitmdump"
        command = [
            str(Path(sys.executable).with_name("mitmdump")),
            "--quiet",
            *("--listen-host", "127.0.0.1", "--listen-port", str(port)),
            *("--set", f"confdir={home}"),
            *("--set", f"ssl_verify_upstream_trusted_ca={upstream_ca}"),
            *("--set", "stream_large_bodies=1"),
        ]
        process = self._start(command)
        wait_listening(port)
        route = Route(upstream_port=upstream_port, proxy_port=port, ca_path=home / "mitmproxy-ca-cert.pem")
        return Target(name="mitmdump", route=route, pid=process.pid)

    def _start_assay(self, upstream_port: int, upstream_ca: Path) -> Target:
        port, home = free_port(), self._directory / "assay"
        told = self._directory / "threads.json"
        command = [
            *(sys.executable, "-m", "benchmarks.assay_process", str(told)),
            *("--headless", "--port", str(port), "--api-port", "0", "--intercept", "localhost", "--upstream-proxy", "none"),
            *("--upstream-ca", str(upstream_ca), "--data-dir", str(home)),
        ]
        process = self._start(command, stdout=subprocess.DEVNULL)
        wait_listening(port)
        until = time.monotonic() + _START_S
        while not told.exists() and time.monotonic() < until:
            time.sleep(0.05)
        threads = json.loads(told.read_text())
        (certificate,) = [path for path in home.rglob("*.pem") if "upstream" not in path.name and _is_certificate(path)][:1]
        route = Route(upstream_port=upstream_port, proxy_port=port, ca_path=certificate)
        return Target(name="assay", route=route, pid=process.pid, threads=threads)


def cpu_seconds(pid: int | None, thread: int | None = None) -> float:
    """Return the CPU time of a process (or of one of its threads) so far."""
    if pid is None:
        return 0.0
    path = f"/proc/{pid}/stat" if thread is None else f"/proc/{pid}/task/{thread}/stat"
    fields = Path(path).read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def children(pid: int | None) -> list[int]:
    """Return the ids of all processes below one."""
    if pid is None:
        return []
    found: list[int] = []
    with suppress(OSError):  # it has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # this thread of it has
                for child in (task / "children").read_text().split():
                    found += [int(child), *children(int(child))]
    return found


def tree_cpu_seconds(pid: int | None) -> float:
    """Return the CPU time so far of a process and of those below it."""
    used = cpu_seconds(pid)
    for child in children(pid):
        with suppress(OSError):
            used += cpu_seconds(child)
    return used


@contextmanager
def held(target: Target) -> Iterator[None]:
    """Stop the processes below a target (what it analyses later) while others are measured: they would be slowed."""
    stopped = children(target.pid)
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for child in stopped:
            with suppress(ProcessLookupError):
                os.kill(child, number)
        if number is signal.SIGSTOP:
            yield


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def settle(target: Target, limit_s: float) -> None:
    """Wait until a process has done what it still had to do (analysis), so that it does not disturb the next one."""
    until = time.monotonic() + limit_s
    while target.pid is not None and time.monotonic() < until:
        before = tree_cpu_seconds(target.pid)
        time.sleep(0.2)
        if tree_cpu_seconds(target.pid) - before <= 2 * _TICK_S:
            return


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_listening(port: int, limit_s: float = _START_S) -> None:
    """Return once somebody listens there.

    Raises:
        TimeoutError: nobody does.
    """
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


def _is_certificate(path: Path) -> bool:
    text = path.read_text()
    return "BEGIN CERTIFICATE" in text and "PRIVATE KEY" not in text


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
