"""The order of a long request list: flat, or as a foldable tree by session, prompt and agent.

Pure: from the little that is known of every exchange to the rows of the list. It must not need what only the visible rows
need; those are read whole, page by page.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from storage.outline import OutlineEntry


class Grouping(StrEnum):
    """How the request list is arranged."""

    FLAT = "flat"
    SESSION = "by session"
    PROMPT = "by session and prompt"
    AGENT = "by session and agent"


GROUPINGS: Final = tuple(Grouping)

type GroupKey = tuple[str | None, ...]
"""Session, then prompt or agent; its length is the depth of the group."""


@dataclass(frozen=True, slots=True)
class Group:
    """The heading of a branch."""

    key: GroupKey
    is_folded: bool
    exchanges: int
    errors: int
    input_tokens: int | None
    """`None`: of none of them known."""
    cost_nano_usd: int | None
    """`None`: none of them is priced."""
    first_id: int
    """Its first exchange: what it is called by."""

    @property
    def depth(self) -> int:
        """0 for sessions, 1 for what is below."""
        return len(self.key) - 1


type Row = int | Group
"""The id of an exchange, or a heading."""


class _Branch:
    """A group while it is being added up."""

    __slots__ = ("branches", "cost", "errors", "ids", "tokens")

    def __init__(self) -> None:
        self.branches: dict[str | None, _Branch] = {}
        self.ids: list[int] = []
        self.errors = 0
        self.tokens: int | None = None
        self.cost: int | None = None

    def add(self, entry: "OutlineEntry") -> None:
        self.ids.append(entry.id)
        self.errors += entry.is_error
        if entry.input_tokens is not None:
            self.tokens = (self.tokens or 0) + entry.input_tokens
        if entry.cost_nano_usd is not None:
            self.cost = (self.cost or 0) + entry.cost_nano_usd

    def heading(self, key: GroupKey, folded: AbstractSet[GroupKey]) -> Group:
        return Group(key, key in folded, len(self.ids), self.errors, self.tokens, self.cost, self.ids[0])


def build_rows(entries: "Sequence[OutlineEntry]", grouping: Grouping, folded: AbstractSet[GroupKey]) -> list[Row]:
    """Arrange exchanges into rows.

    Args:
        entries: In order of arrival.
        grouping: How.
        folded: Groups whose rows are left out.
    """
    if grouping is Grouping.FLAT:
        return [entry.id for entry in entries]
    sessions = _grow(entries, grouping)
    rows: list[Row] = []
    for session_id, session in sessions.items():
        heading = session.heading((session_id,), folded)
        rows.append(heading)
        if heading.is_folded:
            continue
        if grouping is Grouping.SESSION:
            rows.extend(session.ids)
        else:
            _append_branches(rows, session_id, session, folded)
    return rows


def group_keys(rows: Sequence[Row]) -> set[GroupKey]:
    """Return the keys of all headings in sight of no fold."""
    return {row.key for row in rows if isinstance(row, Group)}


def _grow(entries: "Sequence[OutlineEntry]", grouping: Grouping) -> dict[str | None, _Branch]:
    sessions: dict[str | None, _Branch] = {}
    for entry in entries:
        session = sessions.get(entry.session_id)
        if session is None:
            session = sessions[entry.session_id] = _Branch()
        session.add(entry)
        if grouping is not Grouping.SESSION:
            name = entry.prompt_id if grouping is Grouping.PROMPT else entry.agent_id
            branch = session.branches.get(name)
            if branch is None:
                branch = session.branches[name] = _Branch()
            branch.add(entry)
    return sessions


def _append_branches(rows: list[Row], session_id: str | None, session: _Branch, folded: AbstractSet[GroupKey]) -> None:
    for name, branch in session.branches.items():
        heading = branch.heading((session_id, name), folded)
        rows.append(heading)
        if not heading.is_folded:
            rows.extend(branch.ids)
