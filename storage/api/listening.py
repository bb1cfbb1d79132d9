"""The address of the API: taken before anything that serves it is loaded, kept while whoever serves it comes and goes.

It must load neither the web framework nor the database: the process that forwards traffic uses it.
"""

import base64
import socket
import sys

from storage.errors import ApiUnavailableError

_BACKLOG = 128
"""Connections that wait until they are accepted."""


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0: any free one.

    Raises:
        ApiUnavailableError: The port is taken, or the address is not ours.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server((address[0], port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ApiUnavailableError(
            f"The API cannot listen on {host}:{port}: {reason}; choose another with --api-port, or go without (--no-api)"
        ) from error
    # Accepted connections inherit it; asyncio sets it only where a socket names its protocol, and 40 ms an answer is much.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def inherited(listening: socket.socket) -> tuple[int, ...]:
    """Return the descriptors that a process must be started with, so that `lend` can give it the socket."""
    return () if sys.platform == "win32" else (listening.fileno(),)


def lend(listening: socket.socket, pid: int) -> str:
    """Return what a process of ours gets a socket by; it stays ours as well.

    Args:
        listening: The socket.
        pid: The process, started with its `inherited` descriptors.
    """
    if sys.platform == "win32":
        return base64.b64encode(listening.share(pid)).decode()
    return str(listening.fileno())


def borrow(text: str) -> socket.socket:
    """Return the socket that `lend` lent to this process."""
    if sys.platform == "win32":
        return socket.fromshare(base64.b64decode(text))
    return socket.socket(fileno=int(text))
