"""Which Assay is running: a small file per process, so that `assay env` and `assay doctor` find the proxy that others started.

A hint, never a lock: a file whose process is gone is removed by whoever reads it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A running Assay."""

    pid: int
    proxy_url: str
    """Such as `http://127.0.0.1:8080`."""
    is_reverse: bool
    is_private: bool
    """Started by `assay run` or `assay demo` for its own children only."""
    api_url: str | None
    """`None`: its JSON API is off."""
    started_us: int
    """Microseconds since the epoch, UTC."""


@contextmanager
def announced(data_dir: Path, presence: Presence) -> Iterator[None]:
    """Let others find this process for as long as the block runs; a directory that cannot be written does not matter."""
    path = _directory(data_dir) / f"{presence.pid}.json"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(presence)), encoding="utf-8")
        path.chmod(0o600)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_running(data_dir: Path) -> list[Presence]:
    """Return the Assays that run now, newest first, private ones left out."""
    found = []
    for path in _directory(data_dir).glob("*.json"):
        presence = _read(path)
        if presence is None or not _is_alive(presence.pid):
            path.unlink(missing_ok=True)
        elif not presence.is_private:
            found.append(presence)
    return sorted(found, key=lambda presence: presence.started_us, reverse=True)


def _directory(data_dir: Path) -> Path:
    return data_dir / "running"


def _read(path: Path) -> Presence | None:
    try:
        return Presence(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
