"""The keys that are pressed, and how one sees on the screen that they were answered.

Two moments each: *answered*, the first thing that changes because of the key; and *settled*, all of it is there, also what had
to be read. Must not know how anything is drawn beyond where it stands.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.terminal import Screen
from tui.theme import DARK

COLUMNS, ROWS = 170, 60
_CURSOR_GROUND: Final = tuple(bytes.fromhex(DARK.variables["block-cursor-background"].removeprefix("#")))
_LEGEND, _CLOCK_AT = ROWS - 2, slice(2, 10)
_CLOCK: Final = re.compile(r"(\d\d):(\d\d):(\d\d)")
_DAY_S: Final = 86_400
_TITLE_CELLS: Final = 60
"""Of the first line: the names of the screens; to the right of them figures change by themselves."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a screen is looked at."""

    places: tuple[tuple[str, str], ...]
    """The names of the screens."""
    first: int
    """Row of the list's first line."""
    cursor: int | None
    """Row the cursor is on; `None`: not to be seen."""
    list: tuple[str, ...]
    """The lines of the list."""
    tabs: tuple[tuple[str, str], ...]
    pane: tuple[str, ...]
    """What stands below the tabs."""
    legend: tuple[tuple[str, str], ...]
    whole: tuple[str, ...]

    @property
    def under_cursor(self) -> str:
        """The line the cursor is on."""
        return self.whole[self.cursor] if self.cursor is not None else ""

    @property
    def is_complete(self) -> bool:
        """No line of the list waits for being read."""
        return bool(self.list) and all(not line.strip().startswith("·") for line in self.list)

    def newest_age_s(self, now_s: float) -> float | None:
        """Return how long ago the last line began, by its clock; `None` where it has none."""
        found = _CLOCK.match(self.list[-1][_CLOCK_AT]) if self.list else None
        if found is None:
            return None
        hour, minute, second = map(int, found.groups())
        return (now_s - (hour * 3600 + minute * 60 + second)) % _DAY_S


def look(screen: Screen) -> Shown:
    """Look at a screen."""
    whole = tuple(screen.text(row) for row in range(ROWS))
    heading = next((row for row in range(1, 4) if "made of" in whole[row]), None)
    first = ROWS if heading is None else heading + 1
    border = whole[first].find("│") if first < ROWS else COLUMNS
    border = border if border > 0 else COLUMNS
    rows = range(first, _LEGEND)
    tabs = next((row for row in range(1, 8) if " Breakdown " in whole[row]), None)
    return Shown(
        places=tuple(screen.cells[0][:_TITLE_CELLS]),
        first=first,
        cursor=next((row for row in rows if screen.ground(row, 1) == _CURSOR_GROUND), None),
        list=tuple(whole[row][:border] for row in rows),
        tabs=tuple(screen.cells[tabs][border:]) if tabs is not None else (),
        pane=tuple(whole[row][border:] for row in range(tabs + 1, _LEGEND)) if tabs is not None else (),
        legend=tuple(screen.cells[_LEGEND]),
        whole=whole,
    )


type Test = Callable[[Shown, Shown, float], bool]
"""Screen before the key, screen now, time of day in seconds (UTC)."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and what it does."""

    name: str
    """What is measured; several keys may share it."""
    sent: str
    is_answered: Test
    is_settled: Test
    rest_s: float = 0.3
    """How long until the next key."""


def _moved(by: int) -> Test:
    return lambda before, now, _: None not in (before.cursor, now.cursor) and now.cursor == (before.cursor or 0) + by


def _at_top(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.cursor == now.first and now.under_cursor != before.under_cursor


def _elsewhere(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.cursor is not None and now.under_cursor != before.under_cursor


def _is_old(_before: Shown, now: Shown, day_s: float) -> bool:
    age_s = now.newest_age_s(day_s)
    return now.is_complete and age_s is not None and 60 < age_s < _DAY_S - 60


def _is_new(_before: Shown, now: Shown, day_s: float) -> bool:
    age_s = now.newest_age_s(day_s)
    return now.is_complete and age_s is not None and not 5 < age_s < _DAY_S - 5


def _grouped(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.is_complete and any(re.match(r"\s*[▾▸]", line) for line in now.list) and now.list != before.list


def _ungrouped(_before: Shown, now: Shown, _day_s: float) -> bool:
    return now.is_complete and not any(re.match(r"\s*[▾▸]", line) for line in now.list)


def _headed(text: str) -> Test:
    """Its heading says how the list is arranged; as they came, by time."""
    return lambda _before, now, _: now.whole[now.first - 1].strip().startswith(text)


def _other_legend(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.legend != before.legend


def _other_tab(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.tabs != before.tabs


def _other_pane(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.tabs != before.tabs and now.pane != before.pane


def _other_place(before: Shown, now: Shown, _day_s: float) -> bool:
    return now.places != before.places


_J: Final = Key("j k", "j", _moved(1), _moved(1))
_K: Final = Key("j k", "k", _moved(-1), _moved(-1))
_TOP: Final = Key("g", "g", _at_top, lambda before, now, day_s: _at_top(before, now, day_s) and now.is_complete, 0.6)
_END: Final = Key("G", "G", _elsewhere, _is_new, 0.6)
_KIND: Final = Key("filter 3", "3", _other_legend, _is_old, 1.5)
_CLEAR: Final = Key("clear 0", "0", _other_legend, _is_new, 1.5)
_TAB: Final = Key("next tab ]", "]", _other_tab, _other_pane, 0.5)
_TREES: Final = tuple(
    Key("tree t", "t", _headed(name), _grouped, 2.5) for name in ("by session", "by session, prompt", "by session, agent")
)
_FLAT: Final = Key("tree t", "t", _headed("time"), _ungrouped, 2.5)
_PLACES: Final = tuple(Key("screens", sent, _other_place, _other_place, 1.5) for sent in "sacl")


def script(*, is_smoke: bool) -> list[Key]:
    """Return what is pressed, in order."""
    if is_smoke:
        return [_TOP, _J, _J, _K, _TAB, _TAB, _END, _KIND, _CLEAR]
    times = 3
    steps = [_TOP, *[_J] * 8, *[_K] * 4, *[_TAB] * 8, _END]
    return [*(steps * times), *([_KIND, _CLEAR] * times), *([_TOP, *_TREES, _FLAT, _END] * (times - 1)), *(_PLACES * times)]


def time_of_day_s(moment: float) -> float:
    """Return the time of day, UTC, that a `time.perf_counter` was."""
    return (time.time() - (time.perf_counter() - moment)) % _DAY_S
