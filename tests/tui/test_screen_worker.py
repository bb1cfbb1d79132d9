"""The screen's process: painted first, it opens the database when it is told where, and ends with its link."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.app import App

from storage.database import open_database
from tests.storage.older import make_older
from tui.app import AssayApp
from tui.screen_link import Place, Told
from tui.screen_worker import show
from tui.widgets.notice_bar import NoticeBar

ROOT = Path(__file__).resolve().parents[2]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[AssayApp]]:
    """Run without a terminal; the apps that ran."""
    seen: list[AssayApp] = []

    def run(self: AssayApp) -> None:
        seen.append(self)
        App.run(self, headless=True)

    monkeypatch.setattr(AssayApp, "run", run)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    yield seen
    for number, handler in before.items():
        signal.signal(number, handler)


def place_of(database: Path) -> bytes:
    place = Place(
        data_dir=str(database.parent),
        database=f"sqlite:///{database}",
        proxy_url="http://127.0.0.1:1",
        ca_bundle=None,
        api_url=None,
    )
    return Told(place=place).as_line()


def show_while(tell: Callable[[], None], theirs: socket.socket) -> None:
    """Show the dashboard while another thread tells it things, until that closes the link."""
    thread = threading.Thread(target=tell)
    thread.start()
    with theirs:
        assert show(theirs) == 0
    thread.join()


def test_it_reads_once_it_knows_where_and_ends_with_its_link(apps: list[AssayApp], tmp_path: Path) -> None:
    open_database(tmp_path / "assay.db").close()
    ours, theirs = socket.socketpair()
    addresses: list[str] = []

    def tell() -> None:
        waiting = threading.Event()
        ours.sendall(place_of(tmp_path / "assay.db"))
        while not apps or not apps[0].has_store:
            waiting.wait(0.05)
        addresses.append(apps[0].address)
        ours.close()

    show_while(tell, theirs)
    assert addresses == ["127.0.0.1:1"]


def test_an_older_database_is_said_to_be_updated_while_it_is_waited_for(apps: list[AssayApp], tmp_path: Path) -> None:
    path = tmp_path / "assay.db"
    make_older(path)
    ours, theirs = socket.socketpair()
    said: list[str] = []

    def tell() -> None:
        waiting = threading.Event()
        ours.sendall(Told(opening=f"sqlite:///{path}").as_line())
        while not apps or apps[0].waiting is None:
            waiting.wait(0.05)
        notice = apps[0].screen_stack[0].query_one(NoticeBar).notice
        assert notice is not None
        said.append(notice.text)
        ours.sendall(place_of(path))
        while apps[0].screen_stack[0].query_one(NoticeBar).notice is not None:
            waiting.wait(0.05)
        ours.close()

    show_while(tell, theirs)
    assert said[0].startswith("Updating the database")


def test_it_fails_where_the_database_cannot_be_opened(apps: list[AssayApp], tmp_path: Path) -> None:
    (tmp_path / "assay.db").write_bytes(b"no database at all" * 100)
    ours, theirs = socket.socketpair()
    ours.sendall(place_of(tmp_path / "assay.db"))
    with ours, theirs:
        assert show(theirs) == 1
    assert not apps[0].has_store


def test_it_ends_when_nothing_was_ever_told(apps: list[AssayApp]) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        assert show(theirs) == 0
    assert len(apps) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_it_does_not_outlive_its_terminal_and_the_other_process() -> None:
    """Both at once, a few times: a signal and the end of the link ask it to end at the same moment."""
    processes = [_orphan() for _ in range(4)]
    try:
        for process in processes:
            process.wait(60)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _orphan() -> "subprocess.Popen[bytes]":
    """Start one and take everything away from it once it draws."""
    ours, theirs = socket.socketpair()
    master, slave = os.openpty()
    with ours, theirs:
        command = [sys.executable, "-P", "-m", "tui.screen_worker", str(theirs.fileno())]
        process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, pass_fds=(theirs.fileno(),), cwd=ROOT, start_new_session=True
        )
        os.close(slave)
        assert os.read(master, 1)
    os.close(master)
    return process
