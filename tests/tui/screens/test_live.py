"""The live screen by keyboard: every command does what its help says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widget import Widget

from proxy_core.attribution.model import SourceType
from proxy_core.exchange import ExchangeState
from screenshots.fixture import NOW_US
from storage.store import Store
from storage.streaming import rate_of, read_stream_rates
from tests.tui.dashboard_rig import FakeLive, live_screen, press, running, screen_text, settle
from tui.outline import Group, Grouping
from tui.screens.export import ExportScreen
from tui.screens.live import LiveScreen
from tui.screens.rating import RatingScreen
from tui.screens.segment import SegmentScreen
from tui.widgets.breakdown import Breakdown
from tui.widgets.detail_pane import Tab
from tui.widgets.filter_line import FilterInput, FilterLine
from tui.widgets.first_start import FirstStart
from tui.widgets.notice_bar import NoticeBar


async def test_the_newest_request_is_selected_and_its_breakdown_shown(store: Store) -> None:
    async with running(store, FakeLive()) as pilot:
        screen = live_screen(pilot)
        assert screen.requests.row_count == store.exchanges.count()
        assert screen.requests.selected_id == store.exchanges.newest_id()
        assert screen.pane.detail is not None
        assert screen.pane.detail.summary.id == store.exchanges.newest_id()
        assert "github" in screen_text(pilot)


async def test_the_list_has_the_keys_from_the_first_moment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    focused: list[str | None] = []
    set_focus = LiveScreen.set_focus

    def note(self: LiveScreen, widget: Widget | None, *arguments: bool, **named: bool) -> None:
        focused.append(widget.id if widget is not None else None)
        set_focus(self, widget, *arguments, **named)

    monkeypatch.setattr(LiveScreen, "set_focus", note)
    async with running(store):
        assert set(focused) == {"exchanges"}


async def test_a_running_request_shows_time_and_tokens(store: Store) -> None:
    async with running(store, FakeLive()) as pilot:
        selected = live_screen(pilot).requests.selected
        assert selected is not None
        assert selected.state is ExchangeState.OPEN
        rate = rate_of(selected.model, read_stream_rates(store.database))
        assert rate is not rate_of(None, {})
        text = screen_text(pilot)
        for _ in range(100):  # the rates are read in a thread of their own
            if f"↓~{rate.tokens(14_200)} " in text:
                break
            await pilot.pause(0.05)
            text = screen_text(pilot)
        assert f"↓~{rate.tokens(14_200)} " in text
        assert "4.00s" in text


async def test_j_k_and_g_move_and_a_capital_g_follows(store: Store) -> None:
    async with running(store) as pilot:
        requests = live_screen(pilot).requests
        await press(pilot, "k", "k", "j")
        assert requests.cursor == requests.row_count - 2
        assert not requests.is_following
        await press(pilot, "g")
        assert requests.cursor == 0
        assert requests.selected is not None
        assert requests.selected.id == 1
        await press(pilot, "pagedown")
        assert requests.cursor > 3
        await press(pilot, "pageup")
        assert requests.cursor == 0
        await press(pilot, "G")
        assert requests.is_following
        assert requests.cursor == requests.row_count - 1


async def test_f_switches_following(store: Store) -> None:
    async with running(store) as pilot:
        requests = live_screen(pilot).requests
        await press(pilot, "f")
        assert not requests.is_following
        await press(pilot, "g", "f")
        assert requests.is_following
        assert requests.cursor == requests.row_count - 1


async def test_what_arrives_is_shown_and_followed(store: Store) -> None:
    live = FakeLive()
    async with running(store, live) as pilot:
        requests = live_screen(pilot).requests
        before = requests.row_count
        _arrive(store)
        live.callbacks[0]()
        await pilot.pause(0.3)
        await settle(pilot)
        assert requests.row_count == before + 1
        assert requests.cursor == before


async def test_the_newest_is_read_whole_now_and_then_however_many_come(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    async with running(store, FakeLive()) as pilot:
        screen = live_screen(pilot)
        monkeypatch.setattr(screen, "_read_detail", read.append)
        for _ in range(5):
            screen._follow_cursor()
        await settle(pilot)
        assert len(read) <= 1
        await pilot.press("k")
        await settle(pilot)
        assert read[-1] == screen.requests.selected_id


async def test_the_cursor_stays_when_something_arrives_and_nobody_follows(store: Store) -> None:
    live = FakeLive()
    async with running(store, live) as pilot:
        requests = live_screen(pilot).requests
        await press(pilot, "k", "k")
        at = requests.selected_id
        _arrive(store)
        live.callbacks[0]()
        await pilot.pause(0.3)
        await settle(pilot)
        assert requests.selected_id == at


async def test_number_keys_switch_kinds_and_0_clears(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        everything = screen.requests.row_count
        await press(pilot, "3")
        assert screen.kinds == {SourceType.MCP_SERVER}
        assert 0 < screen.requests.row_count < everything
        assert screen.requests.highlighted_kinds == {SourceType.MCP_SERVER}
        await press(pilot, "4")
        assert screen.kinds == {SourceType.MCP_SERVER, SourceType.SKILL}
        await press(pilot, "3", "4")
        assert screen.requests.row_count == everything
        await press(pilot, "5", "0")
        assert not screen.kinds


async def test_a_click_on_the_legend_switches_a_kind(store: Store) -> None:
    async with running(store) as pilot:
        await pilot.click("Legend", offset=(2, 0))
        await settle(pilot)
        assert live_screen(pilot).kinds == {SourceType.USER}


async def test_x_shows_errors_only_and_everything_again(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        everything = screen.requests.row_count
        await press(pilot, "x")
        assert screen.filter_text == "error:yes"
        assert 0 < screen.requests.row_count < everything
        await press(pilot, "x")
        assert screen.requests.row_count == everything


async def test_the_errors_of_the_last_hour_are_four_keys_from_a_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.time_ns", lambda: NOW_US * 1000)
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "x", "w")
        assert screen.filter_text == "error:yes since:1h"
        failed = screen.requests.row_count
        assert 0 < failed < store.exchanges.count()
        await press(pilot, "e", "enter")
        await pilot.pause(0.3)
        await settle(pilot)
        (written,) = list(tmp_path.glob("assay-*.json"))  # noqa: ASYNC240 - a test has time
        assert len(json.loads(written.read_text())["exchanges"]) == failed
        await press(pilot, "w", "w", "w", "w")
        assert screen.filter_text == "error:yes"


async def test_typing_a_filter_narrows_the_list_at_once(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "slash", *"class:title")
        await pilot.pause(0.2)
        await settle(pilot)
        assert screen.requests.row_count == 2
        await press(pilot, "enter")
        assert screen.focused is screen.requests
        assert screen.query_one(FilterLine).display
        assert screen.filter_text == "class:title"
        assert " 2 requests " in screen_text(pilot)
        await press(pilot, "slash", *"model:haiku", "enter")
        assert screen.filter_text == "class:title model:haiku"


async def test_tab_completes_and_the_arrows_choose(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "slash", *"sta", "tab")
        field = live_screen(pilot).query_one(FilterInput)
        assert field.value == "status:"
        await press(pilot, *">=400")
        field.value = "st"
        await press(pilot, "down", "tab")
        assert field.value == "state:"


async def test_names_from_the_database_complete_too(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "slash", *"source:conte")
        await settle(pilot)
        assert "context7" in screen_text(pilot)


async def test_what_is_wrong_with_a_filter_is_said_below_it(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "slash", *"colour:red", "enter")
        assert isinstance(screen.focused, FilterInput)
        assert "↑" in screen_text(pilot)
        assert screen.filter_text != "colour:red"


async def test_escape_leaves_the_filter_as_it_was(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "slash", *"class:title", "escape")
        await settle(pilot)
        assert screen.filter_text == ""
        assert screen.focused is screen.requests
        assert not screen.query_one(FilterLine).display


async def test_a_filter_that_lets_nothing_pass_says_so(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        screen.filter_text = "model:nothing-like-it"
        await settle(pilot)
        assert screen.query_one(FirstStart).display
        assert "No request matches" in screen_text(pilot)
        await press(pilot, "0")
        assert not screen.query_one(FirstStart).display
        assert screen.requests.row_count > 0


async def test_t_groups_and_space_folds(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "t")
        assert screen.grouping is Grouping.SESSION
        assert sum(isinstance(row, Group) for row in screen.requests.rows) >= 2
        rows = screen.requests.row_count
        await press(pilot, "g", "space")
        assert screen.requests.row_count < rows
        await press(pilot, "enter")
        assert screen.requests.row_count == rows
        await press(pilot, "z")
        assert all(isinstance(row, Group) for row in screen.requests.rows)
        await press(pilot, "z")
        assert screen.requests.row_count == rows


async def test_a_session_adds_up_to_the_same_in_the_tree_and_on_its_own_screen(store: Store) -> None:
    sums = {row.session_id: (row.requests, row.input_tokens, row.cost_nano_usd) for row in store.sessions.page(limit=10)}
    estimates = [row for row in store.exchanges.page(limit=100) if row.is_estimate and row.input_tokens]
    assert estimates, "which nobody was billed for"
    async with running(store) as pilot:
        await press(pilot, "t")
        headings = [row for row in live_screen(pilot).requests.rows if isinstance(row, Group)]
        assert {row.key[0]: (row.exchanges, row.input_tokens, row.cost_nano_usd) for row in headings} == sums


async def test_grouping_goes_round(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        seen = []
        for _ in range(4):
            await press(pilot, "t")
            seen.append((screen.grouping, screen.requests.arranged))
        assert seen == [
            (Grouping.SESSION, "by session"),
            (Grouping.PROMPT, "by session, prompt"),
            (Grouping.AGENT, "by session, agent"),
            (Grouping.FLAT, ""),
        ]


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        (Tab.REQUEST, "message "),
        (Tab.RESPONSE, "Answer"),
        (Tab.HEADERS, "[REDACTED"),
        (Tab.JSON, "request:"),
        (Tab.TIMING, "Where the time went"),
        (Tab.COST, "Does it add up?"),
        (Tab.DIFF, "Segment by segment"),
    ],
)
async def test_every_tab_shows_its_side_of_the_request(store: Store, tab: Tab, words: str) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k", "m")
        screen.pane.tab = tab
        await settle(pilot)
        assert words in screen_text(pilot)


async def test_brackets_go_through_the_tabs(store: Store) -> None:
    async with running(store) as pilot:
        pane = live_screen(pilot).pane
        await press(pilot, "]")
        assert pane.tab is Tab.REQUEST
        await press(pilot, "[", "[")
        assert pane.tab is Tab.DIFF


async def test_a_click_on_a_tab_shows_it(store: Store) -> None:
    async with running(store) as pilot:
        await pilot.click("TabStrip", offset=(15, 0))
        assert live_screen(pilot).pane.tab is Tab.REQUEST


async def test_d_compares_and_goes_back(store: Store) -> None:
    async with running(store) as pilot:
        pane = live_screen(pilot).pane
        await press(pilot, "k", "k", "d")
        assert pane.tab is Tab.DIFF
        assert "Since #" in screen_text(pilot)
        await press(pilot, "d")
        assert pane.tab is Tab.BREAKDOWN
        await press(pilot, "left_square_bracket", "left_square_bracket", "d", "d")
        assert pane.tab is Tab.COST
        assert "Back to Cost" in [notification.message for notification in pilot.app._notifications]


async def test_enter_goes_into_the_pane_and_escape_back(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "enter")
        assert isinstance(screen.focused, Breakdown)
        await press(pilot, "escape")
        assert screen.focused is screen.requests


async def test_m_gives_the_pane_the_screen(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "m")
        assert not screen.requests.is_on_screen
        await press(pilot, "m")
        assert screen.focused is screen.requests


async def test_a_filter_typed_over_a_pane_with_the_whole_screen_gives_the_keys_back_to_it(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "m")
        shown = screen.pane.detail
        assert not screen.check_action("cycle_grouping", ()), "there is no list to be seen"
        await press(pilot, "slash", "escape", "k")
        assert isinstance(screen.focused, Breakdown)
        assert screen.pane.detail == shown


async def test_a_filter_that_lets_nothing_pass_says_so_where_the_pane_had_the_whole_screen(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "m", "slash", *"session:zzzz", "enter")
        assert "No request matches" in screen_text(pilot)
        await press(pilot, "0")
        assert screen.requests.cursor == screen.requests.row_count - 1, "it begins anew at the newest"


async def test_who_reads_a_request_keeps_it_whatever_comes_in(store: Store) -> None:
    async with running(store, FakeLive()) as pilot:
        screen = live_screen(pilot)
        assert screen.requests.is_following
        await press(pilot, "enter")
        assert not screen.requests.is_following
        await press(pilot, "escape", "G")
        assert screen.requests.is_following
        await press(pilot, "m")
        assert not screen.requests.is_following
        await press(pilot, "f")
        await press(pilot, "]", "]")
        assert screen.requests.is_following, "unless somebody wants to follow even so"
        await press(pilot, "escape", "m")
        assert not screen.requests.is_following


async def test_on_a_small_screen_enter_zooms(store: Store) -> None:
    async with running(store, size=(80, 24)) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "enter")
        assert screen.has_class("-zoomed")
        await press(pilot, "escape")
        assert not screen.has_class("-zoomed")


async def test_a_source_unfolds_into_segments_that_can_be_read_and_copied(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k", "enter", "j", "enter", "j", "enter")
        reader = pilot.app.screen
        assert isinstance(reader, SegmentScreen)
        text = screen_text(pilot)
        assert "hash " in text
        assert "carried by" in text
        await press(pilot, "y")
        assert "mcp__github" in pilot.app.clipboard
        await press(pilot, "escape")
        assert pilot.app.screen is screen


async def test_z_unfolds_all_sources(store: Store) -> None:
    async with running(store) as pilot:
        breakdown = live_screen(pilot).query_one(Breakdown)
        await press(pilot, "k", "k", "enter")
        rows = breakdown.row_count
        await press(pilot, "z")
        assert breakdown.row_count > 2 * rows
        await press(pilot, "z")
        assert breakdown.row_count == rows


async def test_r_rates_with_a_comment_and_the_source_ratings_follow(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k", "r")
        assert isinstance(pilot.app.screen, RatingScreen)
        await press(pilot, *"0.8", "tab", *"good", "ctrl+s")
        summary = screen.requests.selected
        assert summary is not None
        assert summary.rating == pytest.approx(0.8)
        given = store.feedback.of_exchange(summary.exchange_id)
        assert given is not None
        assert given.feedback_text == "good"
        assert screen.pane.detail is not None
        assert screen.pane.detail.summary.rating == pytest.approx(0.8)
        ratings = {source.source_name: source.average_rating for source in store.sources.metrics()}
        assert ratings["github"] is not None


async def test_what_somebody_else_rated_is_marked_in_the_list_when_it_is_looked_at(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k")
        rated = screen.requests.selected
        assert rated is not None
        await press(pilot, "k")
        store.feedback.rate(rated.exchange_id, 0.5)
        await press(pilot, "j")
        await settle(pilot)
        assert screen.requests.selected_id == rated.id
        assert screen.pane.detail is not None
        assert screen.requests.selected == screen.pane.detail.summary
        assert screen.requests.selected.rating == pytest.approx(0.5)


async def test_a_rating_that_is_none_is_refused_in_place(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "k", "k", "r", *"5", "enter")
        assert isinstance(pilot.app.screen, RatingScreen)
        assert "between -1.0 and 1.0" in screen_text(pilot)


async def test_an_empty_rating_takes_it_back(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k", "plus")
        assert screen.requests.selected is not None
        assert screen.requests.selected.rating == pytest.approx(0.5)
        await press(pilot, "r", "ctrl+u", "backspace", "backspace", "backspace", "enter")
        assert screen.requests.selected.rating is None


async def test_plus_and_minus_step_and_stop_at_the_ends(store: Store) -> None:
    async with running(store) as pilot:
        requests = live_screen(pilot).requests
        await press(pilot, "k", "k", "minus")
        assert requests.selected is not None
        assert requests.selected.rating == pytest.approx(-0.5)
        await press(pilot, "plus", "plus", "plus", "plus")
        assert requests.selected.rating == pytest.approx(1.0)


async def test_n_writes_a_note_that_is_there_again(store: Store) -> None:
    async with running(store) as pilot:
        requests = live_screen(pilot).requests
        await press(pilot, "k", "k", "n", *"look here", "ctrl+s")
        assert requests.selected is not None
        assert requests.selected.has_note
        await press(pilot, "n")
        assert "look here" in screen_text(pilot)


async def test_e_exports_what_the_filter_shows(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(store) as pilot:
        screen = live_screen(pilot)
        screen.filter_text = "error:yes"
        await settle(pilot)
        shown = screen.requests.row_count
        await press(pilot, "e")
        assert isinstance(pilot.app.screen, ExportScreen)
        await press(pilot, "ctrl+s")
        await settle(pilot)
        written = _written(tmp_path)
        assert len(written["exchanges"]) == shown


async def test_y_copies_the_id_in_the_list_and_the_page_in_the_pane(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k", "y")
        assert screen.requests.selected is not None
        assert pilot.app.clipboard == screen.requests.selected.exchange_id
        screen.pane.tab = Tab.COST
        await press(pilot, "enter", "y")
        assert "Does it add up?" in pilot.app.clipboard
        screen.pane.tab = Tab.JSON
        await settle(pilot)
        await press(pilot, "enter", "y")
        assert '"request"' in pilot.app.clipboard


async def test_json_folds_and_names_the_place(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "k", "k")
        screen.pane.tab = Tab.JSON
        await settle(pilot)
        await press(pilot, "enter", "j", "j")
        assert "/request/" in screen_text(pilot)
        view = screen.pane.front
        assert view is not None
        rows = view.row_count
        await press(pilot, "k", "space")
        assert view.row_count < rows
        await press(pilot, "z")
        assert view.row_count > rows


def _refuse_newest(screen: LiveScreen) -> None:
    """Let the newest requests in sight be refused by the network."""
    screen.requests.supply(
        [
            replace(summary, state=ExchangeState.FAILED, status_code=None, error="connection refused")
            for summary in screen.requests.summaries_in_sight
        ]
    )
    screen.show_standing(screen.assay.last_counters)


async def test_an_unreachable_api_is_told_at_the_top(store: Store) -> None:
    async with running(store, FakeLive()) as pilot:
        screen = live_screen(pilot)
        assert screen.query_one(NoticeBar).notice is None
        _refuse_newest(screen)
        notice = screen.query_one(NoticeBar).notice
        assert notice is not None
        assert "cannot be reached" in notice.text


async def test_a_failure_is_not_the_newest_because_a_filter_shows_it_last(store: Store) -> None:
    async with running(store, FakeLive()) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "x")
        assert screen.requests.selected is not None
        assert screen.query_one(NoticeBar).notice is None


async def test_a_database_that_cannot_be_read_is_told_and_the_screen_stays(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        rows = screen.requests.row_count

        def broken(_ids: object) -> tuple[()]:
            raise OSError("the file is gone")

        store.exchanges.summaries = broken  # type: ignore[method-assign, assignment]
        screen.read_rows()
        await settle(pilot)
        notice = screen.query_one(NoticeBar).notice
        assert notice is not None
        assert "could not be read" in notice.text
        assert screen.requests.row_count == rows


def _written(directory: Path) -> dict[str, list[object]]:
    (path,) = directory.glob("assay-*.json")
    document: dict[str, list[object]] = json.loads(path.read_text())
    return document


def _arrive(store: Store) -> None:
    from storage.batches import Progress
    from storage.ingest import Ingest
    from tests import factories

    progress = Progress("f" * 32)
    progress.add(factories.exchange_finished(exchange_id="f" * 32))
    ingest = Ingest("test")
    with store.database.write() as connection:
        ingest.store(connection, [progress])
    ingest.settle([progress])
