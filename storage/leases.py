"""Which processes record into the database right now, so that the open exchanges of a killed one can be told.

A lease is renewed by its writer. It is dead when its process is gone (same host), or when it was not renewed for long:
a number of a process may have been given to another one. Nothing breaks when a living one is taken for dead (a suspended
laptop): the end of its exchange, complete in itself, replaces what was made of it.
"""

import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from storage import models

RENEW_US = 5_000_000
DEAD_AFTER_US = 120_000_000
_LEASES = models.WriterLeaseRow.__table__


class Lease:
    """This writer's own entry."""

    def __init__(self) -> None:
        self.owner = secrets.token_hex(8)
        self._renewed_us = 0

    def renew(self, connection: Connection, now_us: int, *, is_forced: bool = False) -> None:
        """Say that we are alive, unless that was said lately."""
        if not (is_forced or self.is_due(now_us)):
            return
        renewed = connection.execute(_LEASES.update().where(_LEASES.c.owner == self.owner).values(heartbeat_us=now_us))
        if not renewed.rowcount:
            row = {"owner": self.owner, "host": socket.gethostname(), "pid": os.getpid(), "heartbeat_us": now_us}
            connection.execute(_LEASES.insert(), row)
        self._renewed_us = now_us

    def is_due(self, now_us: int) -> bool:
        """Tell whether it is time to renew; it is when the clock was set back."""
        return not 0 <= now_us - self._renewed_us < RENEW_US

    def forget(self) -> None:
        """Renew at the next chance: the last renewal was rolled back."""
        self._renewed_us = 0

    def release(self, connection: Connection) -> None:
        """Give it up."""
        connection.execute(_LEASES.delete().where(_LEASES.c.owner == self.owner))


def find_dead_owners(connection: Connection, now_us: int, is_running: Callable[[int], bool] | None = None) -> list[str]:
    """List leases whose process does not live any more."""
    check = is_running or _is_running
    host = socket.gethostname()
    return [
        lease.owner
        for lease in connection.execute(select(_LEASES))
        if now_us - lease.heartbeat_us > DEAD_AFTER_US or (lease.host == host and not check(lease.pid))
    ]


def drop_leases(connection: Connection, owners: list[str]) -> None:
    """Remove dead leases."""
    if owners:
        connection.execute(_LEASES.delete().where(_LEASES.c.owner.in_(owners)))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits for its parent to take note; False where that cannot be told."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] in (["Z"], ["X"])
