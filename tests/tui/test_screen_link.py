"""What is told to the screen's process arrives as it was sent."""

import socket

from storage.views import CaptureCounters
from tui.screen_link import Figures, Place, Told, lines

PLACE = Place(data_dir="/d", database="sqlite:////d/a.db", proxy_url="http://127.0.0.1:1", ca_bundle=None, api_url=None)


def test_everything_comes_back() -> None:
    figures = Figures(counters=CaptureCounters(captured=3, last_error="ö"), failure="why", response_bytes={"x": 5})
    for told in (Told(), Told(opening="sqlite:////d/a.db"), Told(place=PLACE), Told(figures=figures, is_changed=True)):
        assert Told.from_line(told.as_line()) == told
        assert told.as_line().count(b"\n") == 1


def test_half_a_line_at_the_end_is_left_out() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(b"one\ntwo\nthr")
        ours.close()
        assert list(lines(theirs)) == [b"one\n", b"two\n"]


def test_a_closed_link_has_no_lines() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    assert list(lines(theirs)) == []
