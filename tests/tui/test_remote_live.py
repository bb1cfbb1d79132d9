"""The running side, seen from the screen's process."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.views import CaptureCounters
from tui.live import LiveSource
from tui.remote_live import RemoteLive
from tui.screen_link import Figures, Place, Told

PLACE = Place(data_dir="/d", database="sqlite:////d/a.db", proxy_url="http://127.0.0.1:1", ca_bundle="/d/ca.pem", api_url="u")


class Rig:
    """A `RemoteLive` and the other end of its link."""

    def __init__(self) -> None:
        self.link, self.theirs = socket.socketpair()
        self.has_ended = threading.Event()
        self.live = RemoteLive(self.theirs, self.has_ended.set)
        self.thread = threading.Thread(target=self.live.listen)
        self.thread.start()

    def tell(self, told: Told) -> None:
        """Tell something, and return when it was taken: the place comes last, and is waited for."""
        self.link.sendall(told.as_line() + Told(place=PLACE).as_line())
        assert self.live.wait_for_place() == PLACE

    def close(self) -> None:
        self.link.close()
        self.thread.join(60)
        self.theirs.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def test_it_is_what_the_dashboard_needs(rig: Rig) -> None:
    assert isinstance(rig.live, LiveSource)


def test_before_it_is_told_it_knows_nothing(rig: Rig) -> None:
    assert (rig.live.proxy_url, rig.live.ca_bundle, rig.live.api_url, rig.live.failure()) == (None, None, None, None)
    assert rig.live.counters() == CaptureCounters()
    assert rig.live.response_bytes() == {}


def test_what_is_waited_for_is_looked_at_until_the_place_is_told(rig: Rig) -> None:
    rig.link.sendall(Told(opening="sqlite:////d/a.db").as_line())
    seen: list[str | None] = []

    def look() -> None:
        seen.append(rig.live.opening)
        if seen[-1] is not None:
            rig.link.sendall(Told(place=PLACE).as_line())

    assert rig.live.wait_for_place(look) == PLACE
    assert seen[-1] == rig.live.opening == "sqlite:////d/a.db"


def test_it_answers_what_it_was_told_last(rig: Rig) -> None:
    counters = CaptureCounters(captured=9, stored=8)
    rig.tell(Told(figures=Figures(counters=counters, failure="gone", response_bytes={"x": 3})))
    assert (rig.live.proxy_url, rig.live.ca_bundle, rig.live.api_url) == ("http://127.0.0.1:1", Path("/d/ca.pem"), "u")
    assert (rig.live.counters(), rig.live.failure(), rig.live.response_bytes()) == (counters, "gone", {"x": 3})


def test_changes_are_passed_on_until_nobody_wants_them(rig: Rig) -> None:
    heard: list[int] = []
    end = rig.live.subscribe(lambda: heard.append(1))
    rig.tell(Told(is_changed=True))
    assert heard == [1]
    end()
    rig.link.sendall(Told(is_changed=True).as_line())
    rig.close()
    assert heard == [1]


def test_orders_are_sent_and_shown_as_obeyed(rig: Rig) -> None:
    rig.live.pause()
    assert rig.live.counters().is_paused
    rig.live.resume()
    assert not rig.live.counters().is_paused
    with rig.link.makefile("rb") as sent:
        assert [sent.readline(), sent.readline()] == [b"pause\n", b"resume\n"]


def test_the_end_of_the_other_process_is_told(rig: Rig) -> None:
    rig.close()
    assert rig.has_ended.is_set()
    assert rig.live.wait_for_place() is None
    rig.live.pause()
    assert rig.live.counters().is_paused
