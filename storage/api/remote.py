"""The API of a running capture, served by a process of its own: this end listens, starts it, answers it, revives it.

The address is taken at once and kept: whoever connects waits there until a process serves, be it the first or the next after
one that died. It is started before somebody asks: one that is there answers also while the disk is full or the database
read-only, when none could be started. Nothing here waits for that process on a thread that captures: what changed is told by a
thread of its own.
"""

import contextlib
import json
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from proxy_core.child_process import close_pipes, launch
from storage.api.listening import inherited, lend, listen
from storage.api.settings import ApiSettings
from storage.errors import ApiUnavailableError

if TYPE_CHECKING:
    # The web framework is loaded where it serves, not where traffic is forwarded.
    from storage.api.context import CaptureControl

_START_S = 60.0
_STOP_S = 5.0
_RING_EVERY_S = 0.05
"""Changes closer together than this are told once."""
_EARLY_S = 10.0
"""A process that ends sooner may do so again."""
_PAUSES_S = (0.0, 0.2, 1.0, 5.0)
"""Before the next process, after none, one, two ... in a row that ended within `_EARLY_S`."""
_RETRY_S = 30.0
"""After a failure it is tried again so soon, or when somebody asks."""
_ENDS_AGAIN = ApiUnavailableError("The process that serves the API ends again and again")


class RemoteApi:
    """Serves a database's API beside a running capture; as `ApiThread` to its caller.

    Args:
        url: Of the database it answers from, with its password; a file or a server, not memory.
        settings: How it is served.
        control: The running capture.
        redaction_key: What the capture's fingerprints are keyed with, for comments; empty: others.
    """

    def __init__(self, url: str, settings: ApiSettings, control: "CaptureControl", redaction_key: bytes = b"") -> None:
        self._redaction_key = redaction_key
        self._url = url
        self._settings = settings
        self._control = control
        self._listening: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._serving: subprocess.Popen[bytes] | None = None
        """The same once it was told what to serve; it must hear nothing before that."""
        self._starting = threading.Lock()
        self._writing = threading.Lock()
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._is_decided = threading.Event()
        """The first process serves, or does not."""
        self._waking: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._unsubscribe: Callable[[], None] | None = None
        self.failure: BaseException | None = None
        """Why nobody could be started to answer, or ended again and again, the last time; `None` while all is well."""

    @property
    def port(self) -> int:
        """The port it listens on; as in the settings before the start."""
        return self._settings.port

    @property
    def url(self) -> str:
        """Where it answers."""
        host = self._settings.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it serves, or will as soon as it can."""
        return self._listening is not None and not self._stopping.is_set()

    def start(self) -> None:
        """Listen, start the process and wait until it serves.

        Raises:
            ApiUnavailableError: The port is taken, the address is not ours, or the process did not come up.
        """
        self._listening = listen(self._settings.host, self._settings.port)
        self._listening.setblocking(False)
        self._settings = replace(self._settings, port=self._listening.getsockname()[1])
        self._waking, woken = socket.socketpair()
        attend = partial(self._attend, self._listening, woken)
        for target, name in ((attend, "assay-api-questions"), (self._ring, "assay-api-changes")):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        self._is_decided.wait()  # a process that takes longer than `_START_S` is killed
        if self.failure is not None:
            self.stop()
            raise ApiUnavailableError(str(self.failure)) from self.failure
        self._unsubscribe = self._control.subscribe(self._changed.set)

    def notify(self) -> None:
        """Wake the event streams: something was stored. Safe from any thread."""
        self._changed.set()

    def stop(self) -> None:
        """End the process, leave the address; does nothing when it does not run."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        with self._starting:
            self._stopping.set()
        self._changed.set()
        if self._waking is not None:
            self._waking.close()
        if self._process is not None:
            self._end(self._process)
        for thread in self._threads:
            thread.join(_STOP_S)
        if self._listening is not None:
            self._listening.close()

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        self._end_input(process)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _end_input(self, process: "subprocess.Popen[bytes]") -> None:
        """Tell it the end; kill it when it hangs and somebody still waits for it to read."""
        if not self._writing.acquire(timeout=_STOP_S):
            process.kill()
            return
        try:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
        finally:
            self._writing.release()

    def _attend(self, listening: socket.socket, woken: socket.socket) -> None:
        """Start a process whenever none serves; answer what it asks."""
        ended_early = 0
        with woken, selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while not self._stopping.is_set():
                began_s = time.monotonic()
                try:
                    failure: Exception | None = None
                    self._serve(listening)
                except Exception as error:  # noqa: BLE001 - the root of the thread: shown, and tried again
                    failure = error
                    _turn_away(listening)
                if self._stopping.is_set():
                    return
                ended_early = ended_early + 1 if time.monotonic() - began_s < _EARLY_S else 0
                self.failure = failure or (_ENDS_AGAIN if ended_early > 1 else None)
                self._is_decided.set()
                self._stopping.wait(_PAUSES_S[min(ended_early, len(_PAUSES_S) - 1)])
                if self.failure is not None:
                    selector.select(_RETRY_S)

    def _serve(self, listening: socket.socket) -> None:
        """Start a process and answer what it asks until it ends.

        Raises:
            ApiUnavailableError: It did not come up, or this is stopped.
            OSError: No memory or no process left.
        """
        with self._starting:
            if self._stopping.is_set():
                raise ApiUnavailableError("The API is stopped")
            process = launch("storage.api.worker", inherits=inherited(listening))
            self._process = process
        try:
            assert process.stdout is not None
            self._tell(process, listening)
            self._serving, self.failure = process, None
            self._is_decided.set()
            with contextlib.suppress(OSError):
                for line in process.stdout:
                    self._answer(process, json.loads(line))
        finally:
            self._serving = None
            process.kill()
            process.wait()
            close_pipes(process)

    def _tell(self, process: "subprocess.Popen[bytes]", listening: socket.socket) -> None:
        """Tell a process what to serve, and wait until it does.

        Raises:
            ApiUnavailableError: It does not.
        """
        timer = threading.Timer(_START_S, process.kill)
        timer.start()
        try:
            told = {
                "url": self._url,
                "settings": asdict(self._settings),
                "listening": lend(listening, _heard(process)["pid"]),
                "redaction_key": self._redaction_key.hex(),
            }
            self._send(process, told)
            said = _heard(process)
        finally:
            timer.cancel()
        if "error" in said:
            raise ApiUnavailableError(said["error"])

    def _answer(self, process: "subprocess.Popen[bytes]", question: Mapping[str, Any]) -> None:
        if question["what"] == "pause":
            self._control.pause()
        elif question["what"] == "resume":
            self._control.resume()
        self._send(process, {"reply": question["ask"], "value": asdict(self._control.counters())})

    def _ring(self) -> None:
        while True:
            self._changed.wait()
            if self._stopping.wait(_RING_EVERY_S):
                return
            self._changed.clear()
            serving = self._serving
            if serving is not None:
                self._send(serving, {"rung": True})

    def _send(self, process: "subprocess.Popen[bytes]", line: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError, ValueError), self._writing:  # it has ended; `_attend` sees to it
            process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.flush()


def _heard(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ApiUnavailableError("The API did not start: its process ended")
    said: dict[str, Any] = json.loads(line)
    return said


def _turn_away(listening: socket.socket) -> None:
    """End the connections that wait: nobody will answer them."""
    with contextlib.suppress(OSError):  # no more
        while True:
            listening.accept()[0].close()
