"""Read a filter line: text -> `Filter`, or a `FilterError` that says where and why. Raises on nothing.

filter   = any
any      = all ("or" all)*
all      = item (["and"] item)*
item     = ("-" | "!" | "not") item | "(" any ")" | field ":" values | "@" name | word
"""

from collections.abc import Mapping
from difflib import get_close_matches

from storage.filters.fields import FIELD_BY_NAME, Field, Kind
from storage.filters.tokens import Token, TokenKind, tokenize
from storage.filters.tree import Conjunction, Disjunction, Filter, FilterError, Negation, Node, Term, Test, TextTest
from storage.filters.values import BadValue, read_value

MAX_LENGTH = 2000
"""Longest line that is read, in characters."""
MAX_DEPTH = 40
"""Deepest nesting of brackets and negations."""
MAX_TERMS = 100
"""Most terms in one line; a database limits the size of an expression."""


_NONE_SAVED: Mapping[str, str] = {}


def parse(text: str, saved: Mapping[str, str] = _NONE_SAVED) -> Filter | FilterError:
    """Read a filter line; an empty one lets everything pass.

    Args:
        text: The line.
        saved: The lines of saved filters by name, for `@name` (`saved.SavedFilters` has them).
    """
    if len(text) > MAX_LENGTH:
        return FilterError(MAX_LENGTH, f"A filter is at most {MAX_LENGTH} characters long")
    tokens = tokenize(text.encode("utf-8", "replace").decode())
    if not tokens:
        return Filter(text)
    try:
        return Filter(text, _Parser(tokens, len(text), saved).read())
    except _Stop as stop:
        return stop.error


class _Stop(Exception):  # noqa: N818 - it carries an answer out of the recursion, and is no error of ours
    def __init__(self, error: FilterError) -> None:
        super().__init__(error.message)
        self.error = error


class _Parser:
    """Recursive descent over the tokens of one line."""

    def __init__(
        self, tokens: list[Token], length: int, saved: Mapping[str, str], inside: tuple[str, ...] = (), terms: int = 0
    ) -> None:
        self._tokens = tokens
        self._length = length
        self._saved = saved
        self._inside = inside
        """Names of the saved filters that these tokens stand in."""
        self._next = 0
        self.terms = terms
        """Terms so far, those of saved filters included."""

    def read(self, depth: int = 0) -> Node:
        node = self._read_any(depth)
        token = self._peek()
        if token is not None:
            raise _stop(token.position, "There is no bracket to close here", "take this `)` away or quote it")
        return node

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _read_any(self, depth: int) -> Node:
        operands = [self._read_all(depth)]
        while (token := self._peek()) is not None and token.kind is TokenKind.OR:
            self._next += 1
            operands.append(self._read_all(depth))
        return operands[0] if len(operands) == 1 else Disjunction(tuple(operands))

    def _read_all(self, depth: int) -> Node:
        operands: list[Node] = []
        is_joined = False
        while (token := self._peek()) is not None and token.kind not in {TokenKind.OR, TokenKind.CLOSE}:
            if token.kind is TokenKind.AND:
                if not operands or is_joined:
                    break
                is_joined = True
                self._next += 1
                continue
            operands.append(self._read_item(token, depth))
            is_joined = False
        if not operands or is_joined:
            raise self._missing_term()
        return operands[0] if len(operands) == 1 else Conjunction(tuple(operands))

    def _missing_term(self) -> "_Stop":
        token = self._peek()
        before = self._tokens[self._next - 1] if self._next else None
        position = token.position if token else self._length
        joins = {TokenKind.AND, TokenKind.OR, TokenKind.NOT}
        if before is not None and before.kind in joins:
            return _stop(
                position, f"`{before.kind.value}` needs a term after it", "a word, or field:value; quote it to search for it"
            )
        if before is not None and before.kind is TokenKind.OPEN:
            return _stop(position, "There is nothing in the brackets", "write a term in them")
        what = token.kind.value if token else ""
        return _stop(position, f"`{what}` needs a term before it", f'"{what}" in quotes searches for it')

    def _read_item(self, token: Token, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _stop(token.position, f"Brackets and negations go at most {MAX_DEPTH} deep")
        self._next += 1
        if token.kind is TokenKind.NOT:
            following = self._peek()
            if following is None or following.kind in {TokenKind.OR, TokenKind.AND, TokenKind.CLOSE}:
                raise self._missing_term()
            return Negation(self._read_item(following, depth + 1))
        if token.kind is TokenKind.OPEN:
            return self._read_brackets(token, depth)
        if token.kind is TokenKind.SAVED:
            return self._read_saved(token, depth)
        return self._read_term(token)

    def _read_brackets(self, opening: Token, depth: int) -> Node:
        node = self._read_any(depth + 1)
        if self._peek() is None:
            raise _stop(opening.position, "This bracket is never closed", "add `)`")
        self._next += 1
        return node

    def _read_saved(self, token: Token, depth: int) -> Node:
        text = self._saved.get(token.name)
        if text is None:
            raise _unknown_saved(token, self._saved)
        if token.name in self._inside:
            raise _stop(token.position, f"The saved filter `@{token.name}` comes back to itself")
        if len(text) > MAX_LENGTH:
            raise _stop(token.position, f"`@{token.name}` is longer than {MAX_LENGTH} characters")
        inner = _Parser(tokenize(text), len(text), self._saved, (*self._inside, token.name), self.terms)
        try:
            node = inner.read(depth + 1)
        except _Stop as stop:
            raise _stop(token.position, f"In `@{token.name}`: {stop.error.message}", stop.error.hint) from None
        self.terms = inner.terms
        return node

    def _read_term(self, token: Token) -> Term:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise _stop(token.position, f"A filter has at most {MAX_TERMS} terms")
        if token.is_unclosed:
            raise _stop(token.value_position, "This quote is never closed", 'add `"`')
        if token.kind is TokenKind.WORD:
            if not token.value:
                raise _stop(token.position, "There is nothing in the quotes", "write the words to search for")
            return Term("text", (TextTest(token.value),))
        field = FIELD_BY_NAME.get(token.name)
        if field is None:
            raise _unknown_field(token)
        return Term(field.name, _read_tests(field, token))


def _read_tests(field: Field, token: Token) -> tuple[Test, ...]:
    parts = [token.value] if token.is_quoted or field.kind is Kind.TIME else token.value.split(",")
    tests: list[Test] = []
    position = token.value_position
    for part in parts:
        test = read_value(field, part, is_quoted=token.is_quoted)
        if isinstance(test, BadValue):
            raise _stop(min(position, token.end), test.message, test.hint)
        tests.append(test)
        position += len(part) + 1
    return tuple(tests)


def _unknown_field(token: Token) -> "_Stop":
    close = get_close_matches(token.name, FIELD_BY_NAME, n=1)
    guess = f"did you mean {close[0]}:? Otherwise quote" if close else "quote"
    return _stop(token.position, f"There is no field `{token.name[:40]}`", f"{guess} the words to search for them as text")


def _unknown_saved(token: Token, saved: Mapping[str, str]) -> "_Stop":
    if not token.name:
        return _stop(token.position, "`@` needs the name of a saved filter after it", '"@" in quotes searches for it')
    close = get_close_matches(token.name, saved, n=1)
    guess = f"did you mean @{close[0]}? Otherwise quote" if close else "quote"
    return _stop(token.position, f"There is no saved filter `@{token.name}`", f"{guess} it to search for it as text")


def _stop(position: int, message: str, hint: str | None = None) -> _Stop:
    return _Stop(FilterError(position, message, hint))
