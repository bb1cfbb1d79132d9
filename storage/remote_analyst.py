"""An analyst that works in a process of its own, so that analysing never holds the interpreter lock of the proxy.

The process is started when there is work, ends with this one, and is started anew when it dies or hangs; an exchange that
kills it twice is noted as one that cannot be analysed.
"""

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError

from proxy_core.attribution.model import ATTRIBUTION_VERSION
from proxy_core.child_process import close_pipes, launch
from storage.database import Database

if TYPE_CHECKING:
    # The analysis is loaded where it works.
    from storage.analysing import StoredAnalyst

HANG_LIMIT_S = 120.0
"""An analysis that takes longer is taken for hung; its own patience with counting is a minute."""
CLOSE_LIMIT_S = 5.0
"""How long the process may take to end when told to; it may have to delete what was analysed."""
MAX_ATTEMPTS = 2


class AnalysisProcessError(Exception):
    """The analysing process said that an exchange could not be analysed, or died over it."""


class RemoteAnalyst:
    """Analyses stored exchanges elsewhere; as `storage.analysing.Analyst`, for one thread.

    Args:
        database: Where they are; a file or a server, not memory.
        price_file: The user's price list; `None`: the built-in one alone.
        has_bodies: False: exchanges lose their text once they are analysed.
        hang_limit_s: How long one analysis may take.
        command: The process; for tests.
    """

    def __init__(
        self,
        database: Database,
        price_file: str | None = None,
        *,
        has_bodies: bool = True,
        hang_limit_s: float = HANG_LIMIT_S,
        command: Sequence[str] | None = None,
    ) -> None:
        self.error: Exception | None = None
        """Why the last one could not be analysed; `None` when it could."""
        self.restarts = 0
        """How often the process had to be started anew."""
        self._database = database
        self._hello = {
            "url": database.url.render_as_string(hide_password=False),
            "price_file": price_file,
            "has_bodies": has_bodies,
        }
        self._hang_limit_s = hang_limit_s
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._is_closed = False

    def analyse(self, row_id: int, *, has_ended: bool) -> bool:
        """Analyse one exchange and save what came out, or that it failed (see `error`).

        Args:
            row_id: The exchange's number.
            has_ended: False: only its request is looked at, for a first estimate.

        Returns:
            Whether anything was saved; not so when the exchange is gone or ended meanwhile.

        Raises:
            OperationalError: The database refused; trying again later makes sense.
        """
        self.error = None
        for _ in range(MAX_ATTEMPTS):
            if self._is_closed:
                return False
            reply = self._ask({"id": row_id, "has_ended": has_ended})
            if reply is not None:
                return self._take(reply)
            self.restarts += 1
        return has_ended and not self._is_closed and self._save_failure(row_id)

    def close(self) -> None:
        """End the process: it ends by itself with its input, unless it hangs."""
        self._is_closed = True
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
                process.stdin.close()
                process.wait(CLOSE_LIMIT_S)
        self._end()

    @property
    def process_id(self) -> int | None:
        """Id of the running process; `None` when there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _ask(self, job: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Hand over a job and wait for its reply; `None`: the process died or hung, and is gone now."""
        process = self._process or self._start()
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            reply: Mapping[str, Any] = json.loads(self._replies.get(timeout=self._hang_limit_s))
        except (OSError, ValueError, queue.Empty):  # an end in the middle of a line is one too
            self._end()
            return None
        return reply

    def _take(self, reply: Mapping[str, Any]) -> bool:
        if reply["refusal"] is not None:
            raise OperationalError("analysing", None, AnalysisProcessError(reply["refusal"]))
        self.error = AnalysisProcessError(reply["error"]) if reply["error"] else None
        return bool(reply["is_saved"])

    def _save_failure(self, row_id: int) -> bool:
        self.error = AnalysisProcessError("the analysing process died or hung over it")
        from storage.attributions import AttributionWriter

        with self._database.write() as connection:
            AttributionWriter().save_failure(connection, row_id, ATTRIBUTION_VERSION, str(self.error))
        return True

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            self._process = process = launch("storage.analysis_worker", command=self._command)
        except OSError as error:  # no memory or no process left: that is not the exchange's fault
            raise OperationalError("starting the analysis", None, error) from error
        assert process.stdin is not None
        assert process.stdout is not None
        self._replies = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process.stdout, self._replies), name="assay-analysed", daemon=True)
        reader.start()
        with contextlib.suppress(OSError):  # it ended at once: asking it will tell
            process.stdin.write(json.dumps(self._hello).encode() + b"\n")
            process.stdin.flush()
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        close_pipes(process)


def _read(source: IO[bytes], replies: "queue.SimpleQueue[bytes]") -> None:
    try:
        for line in source:
            replies.put(line)
    except (OSError, ValueError):  # closed meanwhile
        pass
    replies.put(b"")


def open_analyst(database: Database, price_file: str | None, *, has_bodies: bool) -> "StoredAnalyst":
    """Make whoever analyses for a running capture: in a process of its own, unless the database lives in this one's memory."""
    if database.url.database not in {None, "", ":memory:"}:
        return RemoteAnalyst(database, price_file, has_bodies=has_bodies)
    if has_bodies:
        from storage.analysing import Analyst

        return Analyst.over(database, price_file)
    from storage.body_free import open_body_free_analyst

    return open_body_free_analyst(database, price_file)
