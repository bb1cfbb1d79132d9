"""The filter line: typing narrows the list at once, Tab completes, and what is wrong is said right below.

The language is that of `storage.filters`; nothing of it is known here.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from storage.filters.completion import Suggestion, complete
from storage.filters.parsing import parse
from storage.filters.tree import FilterError
from tui import format as fmt

_PAUSE_S: Final = 0.15
"""How long typing must rest before the list follows."""
_SHOWN: Final = 8
_MOST_IN_FORCE: Final = 28
"""Characters of the filter in force that are shown beside the count, while the line says something else."""


class FilterInput(Input):
    """The input itself; Tab and the arrows belong to the completion."""

    BINDINGS: ClassVar = []
    KEY_HINTS: ClassVar = (("Tab", "Complete"), ("↑↓", "Choose"), ("⏎", "Use"))
    """Keys that are taken here without being bound, for the line of keys."""

    class CompletionKey(Message):
        """A key that moves in the completions or takes one."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    async def _on_key(self, event: events.Key) -> None:
        if event.key in {"tab", "down", "up", "escape", "shift+tab"}:
            event.stop()
            event.prevent_default()
            self.post_message(self.CompletionKey(event.key))
            return
        await super()._on_key(event)


class FilterLine(Vertical):
    """One line to type in, one that helps."""

    class FilterChanged(Message):
        """Another filter is to be used; it is understood."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CompletionWanted(Message):
        """Names that occur in the database would help; the answer comes by `offer`."""

        def __init__(self, text: str, cursor: int) -> None:
            super().__init__()
            self.text = text
            self.cursor = cursor

        def can_replace(self, message: Message) -> bool:
            """Only the line as it stands matters."""
            return isinstance(message, FilterLine.CompletionWanted)

    class FilterLeft(Message):
        """The line is left; the focus goes back to the list."""

    DEFAULT_CSS = """
    FilterLine Horizontal { height: 1; }
    FilterLine FilterInput { width: 1fr; }
    FilterLine #filter-count { width: auto; padding: 0 1; color: $secondary; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._found: tuple[Suggestion, ...] = ()
        self._chosen = 0
        self._before = ""
        self._count = ""
        self._requests: int | None = None
        self._applied = ""
        self.saved: Mapping[str, str] = {}
        """The lines of the saved filters by name."""

    def compose(self) -> ComposeResult:
        """Lay out the input and the line below it."""
        with Horizontal():
            placeholder = "source:context7  kind:mcp  error:yes  since:1h  or any words"
            yield FilterInput(placeholder=placeholder, compact=True, select_on_focus=False)
            yield Static(id="filter-count", markup=False)
        yield Static(id="filter-help")

    @property
    def text(self) -> str:
        """The line as it stands."""
        return self.query_one(FilterInput).value

    def edit(self, text: str) -> None:
        """Begin typing, from a text; what is typed narrows it."""
        self.display = True
        self.add_class("-editing")
        self._before = self._applied = text
        text = f"{text} " if text else ""
        field = self.query_one(FilterInput)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.focus()
        self._help()
        self._draw_count()

    def rest(self, text: str) -> None:
        """Show a filter that is in use, without editing it; an empty one hides the line."""
        self._applied = text
        self.remove_class("-editing")
        self.display = bool(text)
        field = self.query_one(FilterInput)
        with field.prevent(Input.Changed):
            field.value = text
        self._draw_count()

    def show_count(self, requests: int) -> None:
        """Say how many requests pass the filter that is in use, and which it is while the line is not understood."""
        self._requests = requests
        self._draw_count()

    def _draw_count(self) -> None:
        if not self.display or self._requests is None:
            return
        count = f"{self._requests:,} request{'' if self._requests == 1 else 's'}"
        if self.has_class("-editing") and isinstance(parse(self.text, self.saved), FilterError):
            count = f"still {fmt.fit(self._applied.strip(), _MOST_IN_FORCE).rstrip() or 'no filter'} · {count}"
        if count != self._count:
            # Told with every row that comes in: only a longer one is worth laying out the whole screen anew.
            self.query_one("#filter-count", Static).update(count, layout=len(count) != len(self._count))
            self._count = count

    def offer(self, text: str, found: tuple[Suggestion, ...]) -> None:
        """Take completions for a line, unless it has changed since."""
        if text == self.text and found != self._found:
            self._found, self._chosen = found, 0
            self._draw_help()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Follow the typing after a short rest."""
        event.stop()
        self._chosen = 0
        self._help()
        self._draw_count()
        text = event.value
        self.set_timer(_PAUSE_S, lambda: self._apply(text))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Use the filter and go back to the list; a line that is not understood stays."""
        event.stop()
        if not isinstance(parse(event.value, self.saved), FilterError):
            self._apply(event.value)
            self.post_message(self.FilterLeft())

    def on_filter_input_completion_key(self, event: FilterInput.CompletionKey) -> None:
        """Take or choose a completion, or leave."""
        event.stop()
        if event.key == "escape":
            self.query_one(FilterInput).value = self._before
            self._apply(self._before)
            self.post_message(self.FilterLeft())
        elif event.key == "tab":
            self._take()
        elif self._found:
            self._chosen = (self._chosen + (1 if event.key == "down" else -1)) % len(self._found[:_SHOWN])
            self._draw_help()

    def _apply(self, text: str) -> None:
        """Use what is understood of a line, unless it has changed since: all of it, or all but the word that is being typed."""
        if text != self.query_one(FilterInput).value:
            return
        readings = (text, text.rpartition(" ")[0])
        understood = next((one for one in readings if not isinstance(parse(one, self.saved), FilterError)), self._applied)
        if understood != self._applied:
            self._applied = understood
            self.post_message(self.FilterChanged(understood.strip()))
            self._draw_count()

    def _take(self) -> None:
        if not self._found:
            return
        field, chosen = self.query_one(FilterInput), self._found[self._chosen]
        end = chosen.start + len(chosen.text)
        gap = "" if chosen.text.endswith(":") or field.value[chosen.end :].startswith(" ") else " "
        field.value = field.value[: chosen.start] + chosen.text + gap + field.value[chosen.end :]
        field.cursor_position = end + len(gap)

    def _help(self) -> None:
        field = self.query_one(FilterInput)
        self._found = complete(field.value, field.cursor_position, saved=self.saved)
        self._draw_help()
        self.post_message(self.CompletionWanted(field.value, field.cursor_position))

    def _draw_help(self) -> None:
        text = self.text
        understood = parse(text, self.saved)
        target = self.query_one("#filter-help", Static)
        is_wrong = isinstance(understood, FilterError)
        target.set_class(is_wrong and not self._found, "-error")
        if isinstance(understood, FilterError) and not self._found:
            target.update(Content(pointed(understood, self.app.size.width)))
            return
        target.update(self._completions(), layout=False)

    def _completions(self) -> Content:
        if not self._found:
            return Content("")
        chosen = self._found[self._chosen]
        meaning = f"— {chosen.meaning}" if chosen.meaning else ""
        parts: list[Content | str] = []
        width = self.app.size.width
        room = max(3 * width // 5, width - len(meaning) - 3)  # a long meaning gives way, not what can be chosen
        for completion in fitting(self._found[:_SHOWN], self._chosen, room):
            style = "$accent bold reverse" if completion is chosen else "$accent"
            parts += [Content.styled(completion.text, style), "  "]
        return Content.assemble(*parts, Content.styled(meaning, "$secondary"))


def pointed(error: FilterError, width: int) -> str:
    """Write what is wrong with a line below the place: right of the arrow, or left of it where there is more room."""
    text = " · ".join(filter(None, (error.message, error.hint)))
    if error.position + len(text) + 2 > width >= error.position > len(text):
        return f"{text} ↑".rjust(error.position + 1)
    return f"{' ' * error.position}↑ {text}"


def fitting(found: Sequence[Suggestion], chosen: int, room: int) -> Sequence[Suggestion]:
    """Return the suggestions around the chosen one that one line has room for."""
    first, last = chosen, chosen + 1
    used = len(found[chosen].text) + 2
    while first > 0 or last < len(found):
        step = found[last] if last < len(found) else found[first - 1]
        used += len(step.text) + 2
        if used > room:
            break
        if last < len(found):
            last += 1
        else:
            first -= 1
    return found[first:last]
