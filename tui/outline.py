"""The order of a long request list: flat, or as a foldable tree by session, prompt and agent.

Pure: from the little that is known of every exchange to the rows of the list. Rows are kept as blocks, a heading and the ids
below it; what comes changes its own blocks only, so a hundred thousand requests cost what the newest few cost. It must not need
what only the visible rows need; those are read whole, page by page.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final, NamedTuple, overload

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
    """Billed; `None`: none of them was billed yet."""
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


class Block(NamedTuple):
    """A heading and the requests right below it. A tuple, because there are many."""

    heading: Group | None
    """`None`: the flat list has none."""
    ids: list[int]
    """Ascending; only ever appended to."""
    shown: int
    """How many of them belong to the list, the first ones; 0 where it is folded."""

    @property
    def row_count(self) -> int:
        """Rows it takes, its heading included."""
        return self.shown + (self.heading is not None)


class Section:
    """What lies between two top headings, or all of a flat list: blocks, as they stood at one moment."""

    __slots__ = ("blocks", "exchange_count", "first_id", "last_id", "row_count", "starts")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.starts = [0, *accumulate(block.row_count for block in blocks)]
        self.row_count = self.starts[-1]
        top = blocks[0].heading
        self.exchange_count = top.exchanges if top is not None else self.row_count
        shown = [block for block in blocks if block.shown]
        self.first_id = min((block.ids[0] for block in shown), default=1)
        self.last_id = max((block.ids[block.shown - 1] for block in shown), default=0)

    def block_at(self, place: int) -> tuple[Block, int]:
        """Return the block that a row lies in, and its place there."""
        number = bisect_right(self.starts, place, hi=len(self.blocks)) - 1
        return self.blocks[number], place - self.starts[number]

    def row_at(self, place: int) -> Row:
        """Return a row."""
        block, within = self.block_at(place)
        if block.heading is None:
            return block.ids[within]
        return block.heading if within == 0 else block.ids[within - 1]

    def place_of(self, row: Row) -> int | None:
        """Return where a row is, a heading by its key."""
        top = self.blocks[0].heading
        if isinstance(row, Group):
            if top is None or top.key[0] != row.key[0]:
                return None
            headings = (block.heading for block in self.blocks)
            return next((start for start, one in zip(self.starts, headings, strict=False) if one and one.key == row.key), None)
        if not self.first_id <= row <= self.last_id:
            return None
        for start, block in zip(self.starts, self.blocks, strict=False):
            place = bisect_left(block.ids, row, hi=block.shown)
            if place < block.shown and block.ids[place] == row:
                return start + place + (block.heading is not None)
        return None


class Rows(Sequence[Row]):
    """The rows of the list as they stood at one moment; safe to read in one thread while another arranges the next."""

    def __init__(self, sections: Sequence[Section] = ()) -> None:
        self._sections = sections
        self._starts = [0, *accumulate(section.row_count for section in sections)]
        self.exchange_count = sum(section.exchange_count for section in sections)
        """The exchanges in it, those in folded branches included."""

    @classmethod
    def flat(cls, ids: list[int]) -> "Rows":
        """Return ids alone; they may be appended to, but not changed, later."""
        return cls([Section([Block(None, ids, len(ids))])])

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._at(place) for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._at(index % len(self))

    def __iter__(self) -> Iterator[Row]:
        for block in chain.from_iterable(section.blocks for section in self._sections):
            if block.heading is not None:
                yield block.heading
            yield from block.ids[: block.shown]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it compares by content

    @property
    def headings(self) -> list[Group]:
        """The headings in it, those in folded branches left out."""
        blocks = chain.from_iterable(section.blocks for section in self._sections)
        return [block.heading for block in blocks if block.heading is not None]

    @property
    def top_keys(self) -> frozenset[GroupKey]:
        """The keys of the top headings."""
        tops = (section.blocks[0].heading for section in self._sections)
        return frozenset(top.key for top in tops if top is not None)

    def branch_at(self, index: int) -> GroupKey | None:
        """Return the branch that a row lies in; `None` in a flat list."""
        if not 0 <= index < len(self):
            return None
        section, place = self._section_at(index)
        heading = section.block_at(place)[0].heading
        return heading.key if heading is not None else None

    def place_of(self, row: Row, likely: int = 0) -> int | None:
        """Return where a row is, a heading by its key; `None`: not in the list.

        Args:
            row: The row.
            likely: Where it was; looked at first.
        """
        if 0 <= likely < len(self) and _is_same(self._at(likely), row):
            return likely
        for start, section in zip(self._starts, self._sections, strict=False):
            place = section.place_of(row)
            if place is not None:
                return start + place
        return None

    def _section_at(self, index: int) -> tuple[Section, int]:
        number = bisect_right(self._starts, index, hi=len(self._sections)) - 1
        return self._sections[number], index - self._starts[number]

    def _at(self, index: int) -> Row:
        section, place = self._section_at(index)
        return section.row_at(place)


def _is_same(one: Row, other: Row) -> bool:
    return one.key == other.key if isinstance(one, Group) and isinstance(other, Group) else one == other


class _Branch:
    """The requests below one heading, and what they add up to."""

    __slots__ = ("cost", "errors", "heading", "ids", "key", "priced", "sized", "tokens")

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.ids: list[int] = []
        self.errors = self.tokens = self.sized = self.cost = self.priced = 0
        """Sums, and of how many requests they are known."""
        self.heading: Group | None = None
        """As it was made last; `None`: it has changed since."""

    def count(self, entry: "OutlineEntry", sign: int) -> None:
        """Add an entry's figures, or take them out again."""
        self.errors += sign * entry.is_error
        if entry.input_tokens is not None:
            self.tokens += sign * entry.input_tokens
            self.sized += sign
        if entry.cost_nano_usd is not None:
            self.cost += sign * entry.cost_nano_usd
            self.priced += sign
        self.heading = None

    def add(self, entry: "OutlineEntry") -> None:
        self.count(entry, 1)
        if not self.ids or entry.id > self.ids[-1]:
            self.ids.append(entry.id)
        else:
            place = bisect_left(self.ids, entry.id)
            self.ids = [*self.ids[:place], entry.id, *self.ids[place:]]

    def take(self, entry: "OutlineEntry") -> None:
        self.count(entry, -1)
        place = bisect_left(self.ids, entry.id)
        self.ids = [*self.ids[:place], *self.ids[place + 1 :]]

    def block(self, folded: AbstractSet[GroupKey]) -> Block:
        """Return its heading, the one from before where nothing has changed, and what is below."""
        is_folded = self.key in folded
        if self.heading is None or self.heading.is_folded is not is_folded:
            tokens = self.tokens if self.sized else None
            cost = self.cost if self.priced else None
            self.heading = Group(self.key, is_folded, len(self.ids), self.errors, tokens, cost, self.ids[0])
        return Block(self.heading, self.ids, 0 if is_folded else len(self.ids))


class _Session:
    """A session and the branches below it."""

    __slots__ = ("branches", "key", "section")

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.branches: dict[str | None, _Branch] = {}
        self.section: Section | None = None
        """As it was made last; `None`: something has changed since."""

    def arrange(self, folded: AbstractSet[GroupKey], *, has_branches: bool) -> Section:
        """Return its heading and, unless it is folded, the blocks below; the section from before where nothing has changed."""
        if self.section is None:
            is_folded = self.key in folded
            branches = sorted(self.branches.values(), key=_first_id)
            heading = _heading(self.key, branches, is_folded=is_folded)
            if is_folded:
                blocks = [Block(heading, [], 0)]
            elif has_branches:
                blocks = [Block(heading, [], 0), *(branch.block(folded) for branch in branches)]
            else:
                blocks = [Block(heading, branches[0].ids, len(branches[0].ids))]
            self.section = Section(blocks)
        return self.section


class Arrangement:
    """Exchanges by a grouping, kept current by changing what changed. Used by one thread at a time; its rows by any.

    Args:
        grouping: How; not flat.
    """

    def __init__(self, grouping: Grouping) -> None:
        self.grouping = grouping
        self._sessions: dict[str | None, _Session] = {}
        self._newest: dict[int, OutlineEntry] = {}
        self._folded: AbstractSet[GroupKey] = frozenset()

    def replace_newest(self, after_id: int, entries: "Sequence[OutlineEntry]", keep_after_id: int) -> None:
        """Take the newest exchanges as they are by now.

        Args:
            after_id: Those after this id are given anew; none is known between `keep_after_id` of the last time and this one.
            entries: They, in order of arrival.
            keep_after_id: Those after this id may be given anew the next time.
        """
        before = self._newest
        if before:
            current = {entry.id: entry for entry in entries}
            for number, entry in before.items():
                if number > after_id and current.get(number) != entry:
                    self._take(entry)
        for entry in entries:
            if entry.id not in before or before[entry.id] != entry:
                self._add(entry)
        kept = bisect_right(entries, keep_after_id, key=_id)
        self._newest = {entry.id: entry for entry in entries[kept:]}

    def rows(self, folded: AbstractSet[GroupKey]) -> Rows:
        """Return the rows, without those in folded groups."""
        for key in self._folded ^ folded:
            session = self._sessions.get(key[0])
            if session is not None:
                session.section = None
        self._folded = folded
        has_branches = self.grouping is not Grouping.SESSION
        sections = [session.arrange(folded, has_branches=has_branches) for session in self._sessions.values()]
        return Rows(sorted(sections, key=_first_id_below))

    def _name_of(self, entry: "OutlineEntry") -> str | None:
        if self.grouping is Grouping.SESSION:
            return None
        return entry.prompt_id if self.grouping is Grouping.PROMPT else entry.agent_id

    def _add(self, entry: "OutlineEntry") -> None:
        session = self._sessions.get(entry.session_id)
        if session is None:
            session = self._sessions[entry.session_id] = _Session((entry.session_id,))
        name = self._name_of(entry)
        branch = session.branches.get(name)
        if branch is None:
            branch = session.branches[name] = _Branch((entry.session_id, name))
        branch.add(entry)
        session.section = None

    def _take(self, entry: "OutlineEntry") -> None:
        session, name = self._sessions[entry.session_id], self._name_of(entry)
        session.branches[name].take(entry)
        session.section = None
        if not session.branches[name].ids:
            del session.branches[name]
        if not session.branches:
            del self._sessions[entry.session_id]


def _heading(key: GroupKey, branches: Sequence[_Branch], *, is_folded: bool) -> Group:
    return Group(
        key=key,
        is_folded=is_folded,
        exchanges=sum(len(branch.ids) for branch in branches),
        errors=sum(branch.errors for branch in branches),
        input_tokens=sum(branch.tokens for branch in branches) if any(branch.sized for branch in branches) else None,
        cost_nano_usd=sum(branch.cost for branch in branches) if any(branch.priced for branch in branches) else None,
        first_id=min(branch.ids[0] for branch in branches),
    )


def _first_id(branch: _Branch) -> int:
    return branch.ids[0]


def _first_id_below(section: Section) -> int:
    heading = section.blocks[0].heading
    return heading.first_id if heading is not None else 0


def _id(entry: "OutlineEntry") -> int:
    return entry.id
