"""Every screen at every size that is promised: places, state and ways out are there, headings are whole, nothing is cut."""

import pytest
from textual.pilot import Pilot

from storage.store import Store
from tests.tui.dashboard_rig import FakeLive, press, running, screen_text
from tui.widgets.key_line import KeyLine
from tui.widgets.line_list import LineList
from tui.widgets.notice_bar import NoticeBar
from tui.widgets.title_bar import PLACES

_SIZES = ((80, 24), (120, 40), (200, 50))
_LONG = "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8080): in use"


def _lines(pilot: Pilot[None]) -> list[str]:
    return screen_text(pilot).split("\n")


@pytest.mark.parametrize("size", _SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", [place[0] for place in PLACES])
async def test_frames_and_headings_are_whole(store: Store, key: str, size: tuple[int, int]) -> None:
    async with running(store, FakeLive(), size) as pilot:
        await press(pilot, key)
        lines = _lines(pilot)
        assert len(lines) == size[1]
        for _, name, _ in PLACES:
            assert name in lines[0]
        assert "● capturing" in lines[0]
        assert lines[-1].rstrip().endswith("q Quit  ? Help")
        for shown in pilot.app.screen.query(LineList):
            if shown.display and shown.HEADER_LINES and shown.region:
                head = shown.render_line(0).text
                assert "…" not in head
                assert len(head) == shown.line_cells == shown.region.width - 1


@pytest.mark.parametrize("size", _SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_long_notice_says_to_its_end_what_to_do(store: Store, size: tuple[int, int]) -> None:
    async with running(store, FakeLive(failure=_LONG), size) as pilot:
        bar = pilot.app.screen.query_one(NoticeBar)
        assert bar.notice is not None
        told = " ".join(" ".join(_lines(pilot)[1 : 1 + bar.region.height]).split())
        assert told == f"✗ {bar.notice.text} · {bar.notice.remedy}"
        assert pilot.app.focused is not None
        assert not bar.has_focus


@pytest.mark.parametrize("keys", [("question_mark",), ("e",), ("r",), ("ctrl+p",)], ids=lambda keys: keys[0])
async def test_windows_fit_into_the_smallest_terminal(store: Store, keys: tuple[str, ...]) -> None:
    async with running(store, FakeLive(), (80, 24)) as pilot:
        await press(pilot, *keys)
        screen = pilot.app.screen
        for widget in screen.query("*"):
            if widget.display and widget.region and not isinstance(widget, KeyLine):
                assert widget.region.right <= 80
                assert widget.region.x >= 0
