"""The last line: the keys that apply here, as many as fit, made from the commands. Back, Help and Quit are always there."""

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.keys import key_to_character
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.commands import Close, Quit, ShowHelp
from tui.live_commands import LeavePane
from tui.theme import Inks, inks

_ALWAYS: Final = (LeavePane.action(), Close.action(), ShowHelp.action(), Quit.action())
"""The ways out, and to help: shown however little room there is."""


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
        for sign, word in getattr(self.screen.focused, "KEY_HINTS", ()):
            segments += [Segment(sign, ink.accent), Segment(f" {word}  ", ink.muted)]
            at += len(sign) + len(word) + 3
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
        """Return one binding an action, those of the focused widget first; none whose key would be typed into a field."""
        found: dict[str, Binding] = {}
        for key, (_node, binding, is_enabled, _tooltip) in self.screen.active_bindings.items():
            known = found.get(binding.action)
            is_plainer = known is not None and _is_control(known) and not _is_control(binding)
            if binding.show and is_enabled and (known is None or is_plainer) and not self._is_typed(key, binding):
                found[binding.action] = binding
        return list(found.values())

    def _is_typed(self, key: str, binding: Binding) -> bool:
        """Say whether the key goes into the field that has the focus."""
        sign = binding.key_display or ""
        character = key_to_character(key) or (sign if len(sign) == 1 else None)
        focused = self.screen.focused
        return focused is not None and focused.check_consume_key(key, character)

    def _sign(self, binding: Binding) -> str:
        if _is_control(binding):
            return "^" + binding.key.removeprefix("ctrl+")
        return binding.key_display or self.app.get_key_display(binding)


def _text(sign: str, binding: Binding) -> str:
    return f"{sign} {binding.description}  "


def _segments(sign: str, binding: Binding, ink: Inks) -> list[Segment]:
    return [Segment(sign, ink.accent), Segment(f" {binding.description}  ", ink.muted)]


def _is_control(binding: Binding) -> bool:
    return binding.key.startswith("ctrl+")
