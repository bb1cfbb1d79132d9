"""The API of a running capture, served by a process of its own: this end starts it, answers its questions, revives it.

Nothing here waits for that process on a thread that captures: what changed is told by a thread of its own.
"""

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from proxy_core.child_process import close_pipes, launch
from storage.api.settings import ApiSettings
from storage.errors import ApiUnavailableError

if TYPE_CHECKING:
    # The web framework is loaded where it serves, not where traffic is forwarded.
    from storage.api.context import CaptureControl

_START_S = 60.0
_STOP_S = 5.0
_RING_EVERY_S = 0.05
"""Changes closer together than this are told once."""
_REVIVE_AFTER_S = (0.2, 1.0, 5.0, 30.0)


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
        self._process: subprocess.Popen[bytes] | None = None
        self._writing = threading.Lock()
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._unsubscribe: Callable[[], None] | None = None
        self.failure: BaseException | None = None
        """Why nobody answers at the moment; `None` while all is well."""

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
        """Whether it serves."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and wait until it listens.

        Raises:
            ApiUnavailableError: The port is taken, the address is not ours, or the process did not come up.
        """
        process = self._launch()
        for target, name in ((self._listen, "assay-api-questions"), (self._ring, "assay-api-changes")):
            arguments = (process,) if target == self._listen else ()
            thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._unsubscribe = self._control.subscribe(self._changed.set)

    def notify(self) -> None:
        """Wake the event streams: something was stored. Safe from any thread."""
        self._changed.set()

    def stop(self) -> None:
        """End the process; does nothing when it does not run."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._stopping.set()
        self._changed.set()
        process = self._process
        if process is None:
            return
        self._end_input(process)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join(_STOP_S)

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

    def _launch(self) -> "subprocess.Popen[bytes]":
        process = launch("storage.api.worker")
        assert process.stdout is not None
        self._process = process
        told = {"url": self._url, "settings": asdict(self._settings), "redaction_key": self._redaction_key.hex()}
        self._send(process, told)
        timer = threading.Timer(_START_S, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        said: dict[str, Any] = json.loads(line) if line else {"error": "The API did not start: its process ended"}
        if "error" in said:
            process.kill()
            process.wait()
            close_pipes(process)
            raise ApiUnavailableError(said["error"])
        self._settings = replace(self._settings, port=said["port"])
        self.failure = None
        return process

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        """Answer questions until this is stopped; start the process anew when it ends."""
        while True:
            assert process.stdout is not None
            with contextlib.suppress(OSError, ValueError):
                for line in process.stdout:
                    self._answer(process, json.loads(line))
            process.wait()
            close_pipes(process)
            revived = self._revive()
            if revived is None:
                return
            process = revived

    def _revive(self) -> "subprocess.Popen[bytes] | None":
        for pause_s in chain(_REVIVE_AFTER_S, repeat(_REVIVE_AFTER_S[-1])):
            if self._stopping.is_set():
                return None
            self.failure = self.failure or ApiUnavailableError("The process that serves the API ended")
            if self._stopping.wait(pause_s):
                return None
            try:
                return self._launch()
            except (ApiUnavailableError, OSError) as error:
                self.failure = error
        return None

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
            if self._process is not None:
                self._send(self._process, {"rung": True})

    def _send(self, process: "subprocess.Popen[bytes]", line: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError, ValueError), self._writing:  # it has ended; `_listen` sees to it
            process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.flush()
