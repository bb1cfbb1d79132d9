"""The last line: the keys that apply here, as many as fit, made from the commands. Help and Quit always keep their place."""

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.commands import Quit, ShowHelp
from tui.theme import Inks, inks

_ALWAYS: Final = (ShowHelp.action(), Quit.action())


class KeyLine(Widget):
    """Keys and what they do."""

    DEFAULT_CSS = "KeyLine { height: 1; dock: bottom; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Draw anew whenever other keys apply."""
        self.screen.bindings_updated_signal.subscribe(self, self._keys_changed)

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has one line
        """Draw the keys."""
        ink = inks(is_dark=self.app.current_theme.dark)
        shown = self._shown()
        fixed = [binding for binding in shown if binding.action in _ALWAYS]
        others = [binding for binding in shown if binding.action not in _ALWAYS]
        room = self.size.width - 1 - sum(len(_text(self._sign(binding), binding)) for binding in fixed)
        segments: list[Segment] = [Segment(" ")]
        self._places = []
        at = 1
        for binding in [*others, *fixed]:
            text = _text(self._sign(binding), binding)
            if binding in others and at - 1 + len(text) > room:
                continue
            segments += _segments(self._sign(binding), binding, ink)
            self._places.append((at, at + len(text), binding.key))
            at += len(text)
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(Style(bgcolor=self.rich_style.bgcolor))

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        for start, end, key in self._places:
            if start <= event.x < end:
                self.app.simulate_key(key)

    def notify_style_update(self) -> None:
        """Draw anew in another theme."""
        super().notify_style_update()
        self.refresh()

    def _keys_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def _shown(self) -> list[Binding]:
        """Return one binding an action, those of the focused widget first."""
        found: dict[str, Binding] = {}
        for _node, binding, is_enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show and is_enabled:
                found.setdefault(binding.action, binding)
        return list(found.values())

    def _sign(self, binding: Binding) -> str:
        return binding.key_display or self.app.get_key_display(binding)


def _text(sign: str, binding: Binding) -> str:
    return f"{sign} {binding.description}  "


def _segments(sign: str, binding: Binding, ink: Inks) -> list[Segment]:
    return [Segment(sign, ink.accent), Segment(f" {binding.description}  ", ink.muted)]
