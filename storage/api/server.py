"""The thread that serves the API: it listens before `start` returns, and tells why when it cannot. Says nothing to stderr."""

import logging
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from storage.api.app import create_app
from storage.api.connections import Connection
from storage.api.context import ApiContext, CaptureControl
from storage.api.listening import listen
from storage.api.settings import ApiSettings
from storage.errors import ApiUnavailableError
from storage.store import Store

_START_S = 60.0
_STOP_S = 5.0


class ApiThread:
    """Serves a store on a thread of its own."""

    def __init__(self, store: Store, settings: ApiSettings, control: CaptureControl | None = None) -> None:
        self._settings = settings
        self._app: FastAPI = create_app(store, settings, control)
        self._context: ApiContext = self._app.state.context
        self._server: _Server | None = None
        self._port = settings.port
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.failure: BaseException | None = None
        """Why the thread ended when nobody stopped it; `None` while all is well."""

    @property
    def port(self) -> int:
        """The port it listens on; as in the settings before the start."""
        return self._port

    @property
    def url(self) -> str:
        """Where it answers."""
        host = self._settings.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, listening: socket.socket | None = None) -> None:
        """Listen, then serve on the thread.

        Args:
            listening: Serve here, not on the address of the settings; closed with the API.

        Raises:
            ApiUnavailableError: the port is taken, the address is not ours, or the server did not come up.
        """
        listening = listening or listen(self._settings.host, self._settings.port)
        self._port = int(listening.getsockname()[1])
        self._server = _Server(_configure(self._app))
        self._thread = threading.Thread(target=self._run, args=(self._server, listening), name="assay-api", daemon=True)
        self._thread.start()
        if not self._server.has_answered.wait(_START_S) or self.failure is not None:
            self.stop()
            raise ApiUnavailableError(f"The API did not start: {self.failure or 'it took too long'}")
        control = self._context.control
        if control is not None:
            self._unsubscribe = control.subscribe(self._context.bell.ring)

    def notify(self) -> None:
        """Wake the event streams: something was stored. Safe from any thread."""
        self._context.bell.ring()

    def wait(self) -> None:
        """Wait until it serves no more; does nothing when it does not run."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """End all streams, answer what is being answered, close the port; does nothing when it does not run."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._server is None or self._thread is None:
            return
        self._context.is_stopping = True
        self._server.should_exit = True
        self._context.bell.ring()
        self._thread.join(_STOP_S)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(_STOP_S)

    def _run(self, server: "_Server", listening: socket.socket) -> None:
        try:
            server.run(sockets=[listening])
            if not self._context.is_stopping:
                self.failure = ApiUnavailableError("The server ended by itself")
        except BaseException as error:  # noqa: BLE001 - the root of the thread; uvicorn also ends by SystemExit
            self.failure = error
        finally:
            self._context.close()
            listening.close()
            server.has_answered.set()


class _Server(uvicorn.Server):
    """Tells when it serves, or has given up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_answered = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_answered.set()


def _configure(app: FastAPI) -> uvicorn.Config:
    quiet = logging.getLogger("uvicorn")
    quiet.propagate = False
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())
    return uvicorn.Config(
        app,
        # What Windows has by default takes no socket that another process has served on.
        loop="asyncio:SelectorEventLoop" if sys.platform == "win32" else "auto",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
