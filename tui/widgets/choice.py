"""One of several choices, of which the chosen one is told by its mark, not by its colour alone."""

from typing import Final

from textual.content import ContentText
from textual.widgets import RadioButton

_CHOSEN: Final = "(•)"
_OTHER: Final = "( )"


class Choice(RadioButton):
    """A radio button for a `RadioSet`."""

    BUTTON_LEFT = ""
    BUTTON_INNER = _OTHER
    BUTTON_RIGHT = ""

    def __init__(self, label: ContentText, *, is_chosen: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(label, is_chosen, id=id)
        self._mark()

    def watch_value(self) -> None:
        """Draw the other mark."""
        self._mark()
        super().watch_value()

    def _mark(self) -> None:
        self.BUTTON_INNER = _CHOSEN if self.value else _OTHER
