"""What decides which requests are listed: the filter line, the kinds switched on, and filters under a name.

A part of the live screen, apart because it has state of its own. What a filter means is known to `storage.filters` alone.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen

from proxy_core.attribution.model import SourceType
from storage.filters.completion import Suggestion, complete
from storage.filters.parsing import parse
from storage.filters.tokens import with_renamed
from storage.filters.tree import FilterError
from tui.colours import KEYED_KINDS
from tui.filtering import combined_filter, cycle_range, toggle_errors
from tui.live_commands import ClearFilter
from tui.widgets.filter_line import FilterLine
from tui.widgets.legend import Legend

if TYPE_CHECKING:
    from tui.screens.live import LiveScreen
    from tui.screens.saved_filters import SavedChoice


class SavedRead(Message):
    """The saved filters of the database."""

    def __init__(self, saved: Mapping[str, str]) -> None:
        super().__init__()
        self.saved = saved


class CompletionsRead(Message):
    """What could be typed next, names of the database included."""

    def __init__(self, text: str, found: tuple[Suggestion, ...]) -> None:
        super().__init__()
        self.text = text
        self.found = found


class SavedFilterProvider(Provider):
    """Offers every saved filter in the palette."""

    async def discover(self) -> Hits:
        """Offer all of them."""
        for name, line in self._saved():
            yield DiscoveryHit(f"Filter by @{name}", partial(self._use, name), help=line)

    async def search(self, query: str) -> Hits:
        """Offer those whose name or line fits."""
        matcher = self.matcher(query)
        for name, line in self._saved():
            words = f"Filter by @{name}"
            score = max(matcher.match(words), matcher.match(line))
            if score > 0:
                yield Hit(score, matcher.highlight(words), partial(self._use, name), help=line)

    def _saved(self) -> list[tuple[str, str]]:
        screen = self.screen
        return sorted(screen.saved.items()) if isinstance(screen, FilterActions) else []

    def _use(self, name: str) -> None:
        if isinstance(self.screen, FilterActions):
            self.screen.use_saved(name)


class FilterActions(Screen[None]):
    """Filter line, kinds, saved filters."""

    COMMANDS: ClassVar = {SavedFilterProvider}

    filter_text: var[str] = var("", init=False)
    """The filter line, without the kinds switched on by key."""
    kinds: var[frozenset[SourceType]] = var(frozenset(), init=False)
    """Kinds switched on in the legend."""
    saved: var[Mapping[str, str]] = var({}, init=False)
    """The lines of the saved filters by name, as they were read last."""

    @property
    def _live(self) -> "LiveScreen":
        from tui.screens.live import LiveScreen

        assert isinstance(self, LiveScreen), "a part of the live screen"
        return self

    def watch_filter_text(self) -> None:
        """Show what passes the filter."""
        line = self.query_one(FilterLine)
        if not line.has_class("-editing"):
            line.rest(self.filter_text)
        self._live.read_rows()
        self.refresh_bindings()

    def watch_kinds(self) -> None:
        """Put kinds forward, and show only requests that have them."""
        self.query_one(Legend).active = self.kinds
        self._live.requests.highlighted_kinds = self.kinds
        self._live.pane.highlighted_kinds = self.kinds
        self.call_after_refresh(self._live.read_rows)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to show everything again only where something is left out."""
        if action == ClearFilter.action():
            return bool(self.filter_text or self.kinds)
        return super().check_action(action, parameters)

    # The filter line

    def on_filter_line_filter_changed(self, event: FilterLine.FilterChanged) -> None:
        """Use another filter."""
        self.filter_text = event.text

    def on_filter_line_filter_left(self) -> None:
        """Go back to what is in front."""
        self.query_one(FilterLine).rest(self.filter_text)
        self._live.focus_front()

    def on_filter_line_completion_wanted(self, event: FilterLine.CompletionWanted) -> None:
        """Look for names that could go on."""
        if self._live.assay.has_store:
            self._complete(event.text, event.cursor, self.saved)

    @work(thread=True, exclusive=True, group="completion", exit_on_error=False)
    def _complete(self, text: str, cursor: int, saved: Mapping[str, str]) -> None:
        self.post_message(CompletionsRead(text, complete(text, cursor, self._live.store.sources, saved)))

    def on_completions_read(self, event: CompletionsRead) -> None:
        """Offer them, unless something else stands there by now."""
        self.query_one(FilterLine).offer(event.text, event.found)

    def action_edit_filter(self) -> None:
        """Begin typing a filter."""
        self.query_one(FilterLine).edit(self.filter_text)
        self.read_saved()

    def action_clear_filter(self) -> None:
        """Show everything again."""
        self.filter_text = ""
        self.kinds = frozenset()

    def action_show_errors(self) -> None:
        """Show only what failed, or everything."""
        self.filter_text = toggle_errors(self.filter_text)

    def action_cycle_range(self) -> None:
        """Narrow the list to the next stretch of time."""
        self.filter_text, period = cycle_range(self.filter_text)
        self.notify(f"Requests of {'all time' if period.length_us is None else f'the {period.name}'}", timeout=1.5)

    # Kinds

    def on_legend_kind_clicked(self, event: Legend.KindClicked) -> None:
        """Switch a kind by mouse."""
        self.action_toggle_kind(event.key)

    def action_toggle_kind(self, key: str) -> None:
        """Switch a kind on or off."""
        self.kinds ^= {KEYED_KINDS[key]}

    # Saved filters

    def read_saved(self) -> None:
        """Read the saved filters: another Assay, or the command line, may have changed them."""
        if self._live.assay.has_store:
            self._read_saved()

    @work(thread=True, exclusive=True, group="saved", exit_on_error=False)
    def _read_saved(self) -> None:
        self.post_message(SavedRead(self._live.store.filters.texts()))

    def on_saved_read(self, event: SavedRead) -> None:
        """Take them; a filter in force follows what its names say now."""
        if event.saved == self.saved:
            return
        self.saved = event.saved
        self.query_one(FilterLine).saved = event.saved
        if "@" not in self.filter_text:
            return
        understood = parse(self.filter_text, event.saved)
        if isinstance(understood, FilterError):
            self.notify(f"The filter is off: {understood.message}", severity="warning", timeout=4)
            self.filter_text = ""
        self._live.read_rows()

    def use_saved(self, name: str) -> None:
        """Filter by a saved filter, and by nothing else."""
        self.kinds = frozenset()
        self.filter_text = f"@{name}"

    def action_save_filter(self) -> None:
        """Ask for a name for the filter in force."""
        if combined_filter(self.filter_text, self.kinds, self.saved).is_empty:
            self.notify("No filter is in force: / types one, 1-9 switch kinds on", severity="warning", timeout=3)
        elif self._live.assay.has_store:
            self._open_saved(is_saving=True)

    def action_pick_filter(self) -> None:
        """Show the saved filters."""
        if self._live.assay.has_store:
            self._open_saved(is_saving=False)

    def _open_saved(self, *, is_saving: bool) -> None:
        from tui.screens.saved_filters import SavedFiltersScreen

        def act(choice: "SavedChoice | None") -> None:
            self.read_saved()
            if choice is None:
                return
            for old, new in choice.renamed:
                self.saved = {**self.saved, new: self.saved.get(old, "")}
                self.filter_text = with_renamed(self.filter_text, old, new)
            if choice.used is not None:
                self.saved = {**self.saved, choice.used.name: choice.used.text}
                self.use_saved(choice.used.name)

        line = combined_filter(self.filter_text, self.kinds, self.saved).text
        self.app.push_screen(SavedFiltersScreen(self._live.store.filters, line, is_saving=is_saving), act)
