"""A text with its syntax highlighted, wrapped into numbered lines. Long texts stay plain, so that opening one is instant."""

from collections.abc import Iterator
from typing import Final

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Token, _TokenType
from rich.cells import cell_len, chop_cells
from rich.style import Style

from tui.pages.sheet import Sheet, visible
from tui.theme import Inks

_HIGHLIGHTED_CHARS: Final = 120_000
_NUMBER_CELLS: Final = 5


def write_source(sheet: Sheet, text: str, language: str | None) -> None:
    """Write a text.

    Args:
        sheet: Where to.
        text: All of it.
        language: A lexer's name, such as `json`; `None`: plain.
    """
    room = max(10, sheet.width - _NUMBER_CELLS - 2)
    for number, runs in enumerate(_lines(text, language, sheet.inks), start=1):
        for part, line in enumerate(_wrap(runs, room)):
            label = f"{number:>{_NUMBER_CELLS}} " if part == 0 else " " * (_NUMBER_CELLS + 1)
            sheet.line((label, sheet.inks.faint), *line)


def _lines(text: str, language: str | None, inks: Inks) -> Iterator[list[tuple[str, Style]]]:
    """Cut a text into lines of styled runs."""
    line: list[tuple[str, Style]] = []
    for style, value in _runs(text, language, inks):
        first, *rest = value.split("\n")
        line.append((visible(first), style))
        for more in rest:
            yield line
            line = [(visible(more), style)]
    if any(part for part, _ in line):
        yield line


def _runs(text: str, language: str | None, inks: Inks) -> Iterator[tuple[Style, str]]:
    if language is None or len(text) > _HIGHLIGHTED_CHARS:
        yield inks.plain, text
        return
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    for token, value in lexer.get_tokens(text):
        yield _style(token, inks), value


def _style(token: _TokenType, inks: Inks) -> Style:
    for family, style in (
        (Generic.Heading, inks.accent + Style(bold=True)),
        (Generic.Subheading, inks.accent + Style(bold=True)),
        (Generic.Strong, inks.strong),
        (Generic.Emph, Style(italic=True)),
        (Comment, inks.muted),
        (Keyword, inks.accent),
        (Name.Tag, inks.accent),
        (Name.Attribute, inks.accent),
        (Literal.String, inks.good),
        (Literal.Number, inks.warning),
        (Token, inks.plain),
    ):
        if token in family:
            return style
    return inks.plain


def _wrap(runs: list[tuple[str, Style]], room: int) -> Iterator[list[tuple[str, Style]]]:
    """Cut a line of runs at a width, at spaces where there are any near the end."""
    line: list[tuple[str, Style]] = []
    used = 0
    for text, style in runs:
        rest = text
        while used + cell_len(rest) > room:
            head = chop_cells(rest[: room * 2], max(1, room - used))[0] if used < room else ""
            space = head.rfind(" ")
            if space > len(head) // 2:
                head = head[: space + 1]
            line.append((head, style))
            yield line
            line, used, rest = [], 0, rest[len(head) :]
        line.append((rest, style))
        used += cell_len(rest)
    yield line
