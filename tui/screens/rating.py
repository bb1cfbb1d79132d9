"""Rate a request and say why: one small window, keyboard only if one likes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from storage.views import ExchangeSummary
from tui import format as fmt
from tui.screens.dialog import Dialog

_MOST_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person thinks of a request."""

    rating: float | None
    """-1.0 to 1.0; `None`: take the rating back."""
    comment: str | None


class RatingScreen(Dialog[Rating]):
    """Rating and comment."""

    HEADING = " Rating and note "
    BINDINGS: ClassVar = [Binding("ctrl+s", "save", "Save", key_display="^s", priority=True)]

    def __init__(self, summary: ExchangeSummary, comment: str | None, *, starts_with_comment: bool) -> None:
        super().__init__()
        self._summary = summary
        self._comment = comment
        self._starts_with_comment = starts_with_comment

    def compose_box(self) -> Iterator[Widget]:
        """Lay out the two fields."""
        title = self._summary.title or f"{self._summary.method} {self._summary.path}"
        yield Static(f"#{self._summary.id}  {fmt.one_line(title)[:200]}", classes="note", markup=False)
        yield Label("Rating, from -1.0 (bad) to 1.0 (good); empty takes it back", classes="field-name")
        value = "" if self._summary.rating is None else f"{self._summary.rating:g}"
        yield Input(value=value, placeholder="for example 0.8", id="rating", compact=True)
        yield Label("Note (Tab to get here)", classes="field-name")
        yield TextArea(self._comment or "", id="comment", tab_behavior="focus", compact=True)
        yield Static("", id="wrong", classes="wrong")
        yield Static(classes="note", id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin where the person wants to write."""
        self.query_one("#comment" if self._starts_with_comment else "#rating").focus()

    def on_descendant_focus(self) -> None:
        """Say what saves from here: in a note, Enter begins a line."""
        in_note = self.query_one(TextArea).has_focus
        keys = "^s saves" if in_note else "Enter or ^s saves"
        alone = " A note alone rates 0." if in_note and self._summary.rating is None else ""
        self.query_one("#hint", Static).update(f"It counts for every source in it.{alone}   {keys}")

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Give the rating back, or say what is wrong with it."""
        comment = self.query_one(TextArea).text.strip() or None
        text = self.query_one("#rating", Input).value
        try:
            rating = read_rating(text) if text.strip() or comment is None else 0.0
        except ValueError as error:
            self.query_one("#wrong", Static).update(str(error))
            return
        if comment is not None and len(comment) > _MOST_CHARS:
            self.query_one("#wrong", Static).update(
                f"A comment is at most {_MOST_CHARS} characters long; this is {len(comment)}."
            )
            return
        self.dismiss(Rating(rating, comment))


def read_rating(text: str) -> float | None:
    """Read a rating as it is typed; `None` for an empty field.

    Raises:
        ValueError: It is no number from -1 to 1; the message is for people.
    """
    text = text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")
    if not text:
        return None
    try:
        rating = float(text)
    except ValueError:
        raise ValueError(f"{text[:20]} is no number; write something like 0.8 or -1") from None
    if not -1.0 <= rating <= 1.0:
        raise ValueError(f"{rating:g} is out of bounds; a rating is between -1.0 and 1.0")
    return rating
