"""Every screen at every size that is promised: places, state and ways out are there, headings are whole, nothing is cut."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from proxy_core.attribution.model import SourceType
from storage.database import open_database
from storage.feedback import FeedbackQuery
from storage.store import Store
from tests.tui.dashboard_rig import FakeLive, live_screen, press, running, screen_text, settle
from tui.app import AssayApp
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
        assert told == f"✗ {bar.notice.text} {bar.notice.remedy} {bar.notice.words}"
        assert pilot.app.focused is not None
        assert not bar.has_focus


@pytest.mark.parametrize(("size", "at_most"), [((80, 24), 4), ((120, 40), 3)])
async def test_a_stopped_proxy_leaves_room_for_the_list(store: Store, size: tuple[int, int], at_most: int) -> None:
    async with running(store, FakeLive(failure=_LONG), size) as pilot:
        lines = _lines(pilot)
        assert lines[1].startswith(" ✗ Port 8080 is taken: another program listens on 127.0.0.1:8080 ")
        assert lines[2].startswith("   q, then assay --port 8081; who has it: ")
        assert lines[3].startswith("   [Errno 98] ")
        assert pilot.app.screen.query_one(NoticeBar).region.height <= at_most


async def test_on_a_small_screen_the_footer_names_what_a_newcomer_looks_for(store: Store) -> None:
    async with running(store, FakeLive(), (80, 24)) as pilot:
        assert _lines(pilot)[-1].split("  ")[:7] == [
            " ⏎ Open",
            "/ Filter",
            "x Errors",
            "d Diff",
            "t Tree",
            "e Export",
            "r Rate",
        ]
        assert "[ ] tabs" in screen_text(pilot)


async def test_where_nothing_was_captured_the_footer_offers_nothing_to_do_with_it(tmp_path: Path) -> None:
    store = Store(open_database(tmp_path / "empty.db"))
    async with running(store, FakeLive(), (120, 40)) as pilot:
        assert _lines(pilot)[-1].split() == ["p", "Pause", "q", "Quit", "?", "Help"]
        await press(pilot, "slash", "d", "3")
        assert "assay run -- claude" in screen_text(pilot)
        assert "Memory" not in screen_text(pilot), "no kind to choose"
        await press(pilot, "s")
        assert "No source was seen" in screen_text(pilot)
        assert "Memory" not in screen_text(pilot)
    store.database.close()


async def test_where_no_request_has_the_kinds_switched_on_they_can_be_switched_off(store: Store) -> None:
    async with running(store, FakeLive(), (120, 40)) as pilot:
        await press(pilot, "slash", *"session:zzzz", "enter")
        assert "Memory" not in screen_text(pilot)
        await press(pilot, "0", "3")
        live_screen(pilot).kinds = frozenset({SourceType.OUTPUT_STYLE})
        await settle(pilot)
        assert "No request matches" in screen_text(pilot)
        assert "Memory" in screen_text(pilot)
        assert _lines(pilot)[-1].split("  ")[:2] == [" / Filter", "0 All"], "as it says there"


async def test_before_there_are_requests_nothing_is_offered_to_do_with_them(store: Store) -> None:
    app = AssayApp(None, FakeLive())
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(pilot)
        assert _lines(pilot)[-1].strip() == "/ Filter  x Errors  w Range  p Pause  q Quit  ? Help"
        app.open_store(store)
        await settle(pilot)
        assert "d Diff" in _lines(pilot)[-1]


_WITHOUT_CONTENT = {"s": "w Range", "a": "w Range", "c": "w Range", "i": "] Next  w Range"}
_WITH_CONTENT = {
    "s": "⏎ Open  w Range  o Sort  v Reverse  y Copy",
    "a": "⏎ Open  w Range  o Sort  v Reverse  y Copy",
    "c": "w Range  b Bucket  u Tokens/cost  t Stack by",
    "i": "⏎ Open  ] Next  w Range  x What if  e Report  o Sort  v Reverse  y Copy",
}


@pytest.mark.parametrize(("key", "offered"), _WITHOUT_CONTENT.items())
async def test_where_a_time_has_nothing_to_show_the_keys_offer_other_times(empty_store: Store, key: str, offered: str) -> None:
    async with running(empty_store, FakeLive()) as pilot:
        await press(pilot, key)
        assert _lines(pilot)[-1].strip() == f"{offered}  p Pause  q Quit  ? Help"
        titles = " ".join(command.title for command in pilot.app.get_system_commands(pilot.app.screen))
        assert "Cycle range" in titles
        assert not any(name in titles for name in ("Sort", "Copy", "What if", "report", "bucket"))


@pytest.mark.parametrize(("key", "offered"), _WITH_CONTENT.items())
async def test_where_it_has_something_they_offer_what_to_do_with_it(store: Store, key: str, offered: str) -> None:
    async with running(store, FakeLive()) as pilot:
        await press(pilot, key)
        assert _lines(pilot)[-1].strip() == f"{offered}  p Pause  q Quit  ? Help"


async def test_an_insight_that_was_not_found_offers_the_others_and_the_report(store: Store) -> None:
    for feedback in store.feedback.page(FeedbackQuery()):
        store.feedback.remove(feedback.feedback_id)
    async with running(store, FakeLive()) as pilot:
        await press(pilot, "i", "left_square_bracket", "left_square_bracket")
        assert "Nothing was rated" in screen_text(pilot)
        assert _lines(pilot)[-1].strip() == "] Next  w Range  e Report  p Pause  q Quit  ? Help"


async def test_a_filter_that_lets_nothing_pass_can_be_changed(store: Store) -> None:
    async with running(store, FakeLive(), (120, 40)) as pilot:
        await press(pilot, "slash", *"session:zzzz", "enter")
        assert _lines(pilot)[-1].split("  ")[:4] == [" / Filter", "0 All", "x Errors", "w Range"]
        await press(pilot, "0")
        assert "d Diff" in _lines(pilot)[-1]


async def test_the_footer_offers_only_what_there_is_to_do(store: Store) -> None:
    async with running(store, FakeLive(), (200, 50)) as pilot:
        assert "Space Fold" not in _lines(pilot)[-1]
        assert "0 All" not in _lines(pilot)[-1]
        await press(pilot, "t", "3")
        assert "Space Fold" in _lines(pilot)[-1]
        assert "0 All" in _lines(pilot)[-1]
        await press(pilot, "t", "t", "t", "0")
        assert "Space Fold" not in _lines(pilot)[-1]
        assert "0 All" not in _lines(pilot)[-1]
        await press(pilot, "s")
        assert "0 All" not in _lines(pilot)[-1]
        await press(pilot, "3")
        assert "0 All" in _lines(pilot)[-1]


async def test_the_footer_offers_to_open_only_on_pages_where_something_can_be_opened(store: Store) -> None:
    async with running(store, FakeLive()) as pilot:
        await press(pilot, "k", "k", "m")
        offers = []
        for _ in range(8):
            offers.append("⏎ Open" in _lines(pilot)[-1])
            await press(pilot, "]")
        assert offers == [True, True, False, False, True, False, False, True], "breakdown, request, JSON, diff"


@pytest.mark.parametrize("keys", [("question_mark",), ("e",), ("r",), ("ctrl+p",)], ids=lambda keys: keys[0])
async def test_windows_fit_into_the_smallest_terminal(store: Store, keys: tuple[str, ...]) -> None:
    async with running(store, FakeLive(), (80, 24)) as pilot:
        await press(pilot, *keys)
        screen = pilot.app.screen
        for widget in screen.query("*"):
            if widget.display and widget.region and not isinstance(widget, KeyLine):
                assert widget.region.right <= 80
                assert widget.region.x >= 0
