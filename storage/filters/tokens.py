"""Cut a filter line into tokens. Every character but white space lies in exactly one token; nothing here can fail.

A quote that is never closed reaches to the end of the line, marked, so that the parser can point at it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_FIELD = re.compile(r"([A-Za-z_]+):")
_BREAKS = frozenset(" \t\r\n()")
SAVED_NAME = r"[\w.-]{1,40}"
"""What the name of a saved filter is made of; `@scope/package` is text to search for."""
_SAVED = re.compile(f"@({SAVED_NAME})?")


class TokenKind(StrEnum):
    """What a token is to the grammar."""

    OPEN = "("
    CLOSE = ")"
    NOT = "not"
    AND = "and"
    OR = "or"
    WORD = "word"
    FIELD = "field"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Token:
    """One token and where it stands."""

    kind: TokenKind
    position: int
    """0-based character of its start."""
    end: int
    """One past its last character."""
    name: str = ""
    """What stands before the colon of a `FIELD`, or after the `@` of a `SAVED`, in lower case."""
    value: str = ""
    """The word, or what stands after the colon; quotes taken off."""
    value_position: int = 0
    """Where the value starts."""
    is_quoted: bool = False
    """The value began with a quote: it is meant literally."""
    is_unclosed: bool = False
    """A quote in it is never closed."""


_KEYWORDS = {"and": TokenKind.AND, "or": TokenKind.OR, "not": TokenKind.NOT, "|": TokenKind.OR, "&": TokenKind.AND}


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a line, in order."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
            continue
        token = _token_at(text, position)
        tokens.append(token)
        position = token.end
    return tokens


def saved_names(text: str) -> set[str]:
    """Return the names of the saved filters that a line uses."""
    return {token.name for token in tokenize(text) if token.kind is TokenKind.SAVED}


def with_renamed(text: str, old: str, new: str) -> str:
    """Return a line that uses a saved filter by its new name."""
    for token in reversed(tokenize(text)):
        if token.kind is TokenKind.SAVED and token.name == old:
            text = f"{text[: token.position]}@{new}{text[token.end :]}"
    return text


def _token_at(text: str, position: int) -> Token:
    character = text[position]
    if character == "(":
        return Token(TokenKind.OPEN, position, position + 1)
    if character == ")":
        return Token(TokenKind.CLOSE, position, position + 1)
    if character in "-!":
        return Token(TokenKind.NOT, position, position + 1)
    field = _FIELD.match(text, position)
    start = field.end() if field else position
    value, end, is_unclosed = _read_value(text, start)
    is_quoted = start < len(text) and text[start] == '"'
    saved = _SAVED.fullmatch(text, position, end)
    if field:
        kind, name = TokenKind.FIELD, field.group(1).lower()
    elif saved:
        kind, name = TokenKind.SAVED, (saved.group(1) or "").lower()
    else:
        kind, name = TokenKind.WORD if is_quoted else _KEYWORDS.get(value.lower(), TokenKind.WORD), ""
    return Token(kind, position, end, name, value, start, is_quoted, is_unclosed)


def _read_value(text: str, start: int) -> tuple[str, int, bool]:
    """Read up to white space or a bracket outside quotes: the value without quotes, its end, whether a quote stayed open."""
    pieces: list[str] = []
    position = start
    is_inside = False
    while position < len(text):
        character = text[position]
        if character == '"':
            is_inside = not is_inside
        elif not is_inside and (character in _BREAKS or character.isspace()):
            break
        elif is_inside and character == "\\" and text[position + 1 : position + 2] in {'"', "\\"}:
            position += 1
            pieces.append(text[position])
        else:
            pieces.append(character)
        position += 1
    return "".join(pieces), position, is_inside
