"""What a filter line means, as a tree of frozen nodes; and what is wrong with one that means nothing.

Pure data. Times relative to now stay relative here: `clauses.py` resolves them when a filter is used, so that a saved
`since:1h` is always the last hour.
"""

from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How a figure is compared."""

    LESS = "<"
    AT_MOST = "<="
    EQUAL = "="
    AT_LEAST = ">="
    MORE = ">"


@dataclass(frozen=True, slots=True)
class TextTest:
    """A text that holds, begins with or is another; case does not matter."""

    text: str
    is_exact: bool = False
    """Written `field:=text`: the whole value, not a part of it."""


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A figure compared with another, in the unit of its field."""

    comparison: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class RangeTest:
    """A figure between two others, both included: `400..499`, `4xx`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChoiceTest:
    """One of a fixed set of words, in the spelling the database has."""

    value: str


@dataclass(frozen=True, slots=True)
class FlagTest:
    """Yes or no."""

    is_set: bool


@dataclass(frozen=True, slots=True)
class TimeTest:
    """A moment, absolute or relative to when the filter is used; exactly one of the two is set."""

    at_us: int | None = None
    """Microseconds since the epoch, UTC."""
    ago_us: int | None = None
    """Microseconds before now."""


@dataclass(frozen=True, slots=True)
class UnknownTest:
    """Written `none`: the value is not known."""


type Test = TextTest | NumberTest | RangeTest | ChoiceTest | FlagTest | TimeTest | UnknownTest


@dataclass(frozen=True, slots=True)
class Term:
    """One `field:value`; with several values (`kind:mcp,skill`) any of them will do."""

    field: str
    """Name in `fields.FIELDS`; a bare word is a term of `text`."""
    tests: tuple[Test, ...]
    """At least one."""


@dataclass(frozen=True, slots=True)
class Negation:
    """`-term`, `not term`."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Terms side by side: all must hold. Empty: everything passes."""

    operands: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Disjunction:
    """`a or b`: at least one must hold."""

    operands: tuple["Node", ...]


type Node = Term | Negation | Conjunction | Disjunction


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter line that was understood."""

    text: str
    """As it was typed."""
    root: Node = Conjunction()

    @property
    def is_empty(self) -> bool:
        """Whether every exchange passes."""
        return self.root == Conjunction()


@dataclass(frozen=True, slots=True)
class FilterError:
    """Why a filter line was not understood, for showing beneath it. A value, not an exception."""

    position: int
    """0-based character in the line where the trouble starts."""
    message: str
    """What is wrong, one sentence."""
    hint: str | None = None
    """What to type instead; `None` where there is no good guess."""

    def __str__(self) -> str:
        """Everything in one line."""
        return f"{self.message} (at character {self.position + 1}){f': {self.hint}' if self.hint else ''}"
