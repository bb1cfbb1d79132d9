"""The sections of the insights screen: what stands in each table, in which columns, and where a row's evidence is.

Pure drawing of what `storage.insights` found; must not read, reckon or rank anything itself.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.style import Style

from proxy_core.attribution.model import Source
from storage.insights.breaks import BreakStory
from storage.insights.carry import CarriedContent
from storage.insights.drift import SizeHistory
from storage.insights.findings import Finding, FindingKind
from storage.insights.overview import Insights
from storage.insights.worth import Worth
from tui import format as fmt
from tui.colours import KINDS, UNNAMED, kind_colour
from tui.theme import Inks, ink
from tui.widgets.breakdown import label_ink
from tui.widgets.table import TableColumn

type InsightRow = Finding | BreakStory | CarriedContent | Worth | SizeHistory
"""What a row of one of the sections stands for."""

_TREND: Final = 16
_BELOW_ALL_NANO_USD: Final = 10**18
"""More than anything ever cost."""

_FINDING_WORDS: Final = {
    FindingKind.UNUSED: "never used",
    FindingKind.DUPLICATE: "twice",
    FindingKind.OVERSIZED: "large",
    FindingKind.UNREFERENCED: "not needed",
    FindingKind.DRIFT: "grew",
    FindingKind.DISTORTION: "distorted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of the screen."""

    name: str
    """Short, for ids."""
    title: str
    rows: Callable[[Insights], Sequence[Any]]
    columns: tuple[TableColumn[Any], ...]
    identity: Callable[[Any], Hashable]
    sorted_by: str
    nothing: str
    """What is said when there are no rows."""


def source_name(source: Source | None) -> str:
    """Write a source's name for people; a dash for nobody's."""
    if source is None:
        return fmt.UNKNOWN
    return fmt.one_line(source.source_name or UNNAMED.get(source.source_type, KINDS[source.source_type].label))


def row_name(row: InsightRow) -> str:
    """Write whose content a row is about, and of a result what it was asked for with: else many rows look alike."""
    about = row.about if isinstance(row, Finding | CarriedContent) else None
    return source_name(row.source) if about is None else f"{source_name(row.source)}: {fmt.one_line(about)}"


def _swatch(row: Any, inks: Inks, _cells: int) -> tuple[str, Style]:
    return ("■", ink(kind_colour(row.source.source_type, is_dark=inks.is_dark))) if row.source else (" ", inks.faint)


def _kind(row: Any, inks: Inks, _cells: int) -> tuple[str, Style]:
    if row.source is None:
        return fmt.UNKNOWN, inks.faint
    return KINDS[row.source.source_type].label, label_ink(row.source.source_type, inks)


def _name(row: Any, inks: Inks, cells: int) -> tuple[str, Style]:
    whole = row_name(row)
    head, _, path = whole.partition(": ")
    if len(whole) > cells and "/" in path and " " not in path:
        room = max(0, cells - len(head) - 3)
        return f"{head}: …{path[len(path) - room :]}"[:cells], inks.plain  # the file's name, not where it is, tells it apart
    return fmt.fit_path(whole, cells), inks.plain


def _source_columns(width: int = 18) -> tuple[TableColumn[Any], ...]:
    """Swatch, kind and name of a row's source."""
    return (
        TableColumn(name="swatch", heading="", width=1, draw=_swatch, is_right=False),
        TableColumn(
            name="kind",
            heading="kind",
            width=11,
            draw=_kind,
            sort_key=lambda row: row.source.source_type.value if row.source else None,
            is_right=False,
            is_ascending_first=True,
            rank=2,
        ),
        TableColumn(
            name="source",
            heading="source",
            width=width,
            draw=_name,
            sort_key=lambda row: row_name(row).lower(),
            is_right=False,
            is_flexible=True,
            is_ascending_first=True,
        ),
    )


def _figure(
    name: str, heading: str, width: int, value: Callable[[Any], float | None], write: Callable[[Any], str], rank: int = 0
) -> TableColumn[Any]:
    return TableColumn(
        name=name,
        heading=heading,
        width=width,
        draw=lambda row, inks, _: (write(row), inks.muted if rank else inks.strong),
        sort_key=value,
        rank=rank,
    )


def _share(share: float | None) -> str:
    return fmt.UNKNOWN if share is None else fmt.percent(share, 1.0)


def _rank(row: Finding) -> float | None:
    """Put facts before readings, and the dearest first."""
    if row.cost_nano_usd is None:
        return None
    return row.cost_nano_usd - (0 if row.is_certain else _BELOW_ALL_NANO_USD)


def _finding_word(row: Finding, inks: Inks, _cells: int) -> tuple[str, Style]:
    return _FINDING_WORDS[row.kind] + ("" if row.is_certain else "?"), inks.warning if row.is_certain else inks.muted


FINDINGS: Final = Section(
    name="findings",
    title="What to change",
    rows=lambda found: found.findings,
    columns=(
        _source_columns()[0],
        TableColumn(
            name="what",
            heading="what",
            width=11,
            draw=_finding_word,
            sort_key=_rank,
            is_right=False,
        ),
        *_source_columns()[1:],
        _figure("requests", "requests", 9, lambda row: row.exchanges, lambda row: fmt.whole(row.exchanges), rank=1),
        _figure("tokens", "tokens", 8, lambda row: row.tokens, lambda row: fmt.tokens(row.tokens)),
        _figure("share", "share", 6, lambda row: row.share, lambda row: _share(row.share), rank=1),
        _figure("cost", "cost", 9, lambda row: row.cost_nano_usd, lambda row: fmt.usd(row.cost_nano_usd)),
    ),
    identity=lambda row: (row.kind, row.source, row.summary, row.exchange_ids, row.about),
    sorted_by="what",
    nothing="Nothing was carried in vain.",
)

BREAKS: Final = Section(
    name="cache",
    title="Cache",
    rows=lambda found: found.breaks,
    columns=(
        _source_columns()[0],
        TableColumn(
            name="summary",
            heading="what broke it",
            width=24,
            draw=lambda row, inks, _: (fmt.one_line(row.summary), inks.plain),
            sort_key=lambda row: row.summary,
            is_right=False,
            is_flexible=True,
            is_ascending_first=True,
        ),
        _figure("times", "times", 6, lambda row: row.breaks, lambda row: fmt.whole(row.breaks)),
        _figure("rewritten", "rewritten", 10, lambda row: row.rewritten_tokens, lambda row: fmt.tokens(row.rewritten_tokens)),
        _figure("cost", "extra cost", 11, lambda row: row.extra_cost_nano_usd, lambda row: fmt.usd(row.extra_cost_nano_usd)),
    ),
    identity=lambda row: (row.cause, row.source),
    sorted_by="cost",
    nothing="No cached prefix was broken.",
)

CARRIED: Final = Section(
    name="carry",
    title="Carry cost",
    rows=lambda found: found.carried,
    columns=(
        *_source_columns(),
        TableColumn(
            name="part",
            heading="part",
            width=12,
            draw=lambda row, inks, _: (row.part.value, inks.muted),
            sort_key=lambda row: row.part.value,
            is_right=False,
            is_ascending_first=True,
            rank=1,
        ),
        _figure("since", "since", 6, lambda row: row.entered_id, lambda row: f"#{row.entered_id}", rank=2),
        _figure("tokens", "tokens", 8, lambda row: row.tokens_each, lambda row: fmt.tokens(row.tokens_each)),
        _figure("requests", "requests", 9, lambda row: row.turns_carried, lambda row: fmt.whole(row.turns_carried)),
        _figure(
            "entry", "to enter", 9, lambda row: row.entry.cost_nano_usd, lambda row: fmt.usd(row.entry.cost_nano_usd), rank=1
        ),
        _figure("cost", "to carry", 9, lambda row: row.carried.cost_nano_usd, lambda row: fmt.usd(row.carried.cost_nano_usd)),
    ),
    identity=lambda row: (row.content_hash, row.entered_id, row.source),
    sorted_by="cost",
    nothing="Nothing was carried from one request to the next.",
)


def _rating(row: Worth, inks: Inks, _cells: int) -> tuple[str, Style]:
    style = inks.good if row.average_rating > 0 else inks.error if row.average_rating < 0 else inks.plain
    return fmt.average_rating(row.average_rating), style if row.is_ranked else inks.muted


def interval(worth: Worth) -> str:
    """Write the interval that a rating's average lies in."""
    return fmt.UNKNOWN if worth.interval is None else f"{worth.interval[0]:+.2f} to {worth.interval[1]:+.2f}"


def value_per_usd(worth: Worth) -> str:
    """Write ratings per dollar, only of what has votes enough to be compared."""
    return f"{worth.value_per_usd:,.1f}" if worth.value_per_usd is not None and worth.is_ranked else fmt.UNKNOWN


WORTHS: Final = Section(
    name="worth",
    title="Worth",
    rows=lambda found: found.worths,
    columns=(
        *_source_columns(),
        _figure("votes", "votes", 6, lambda row: row.votes, lambda row: fmt.whole(row.votes)),
        TableColumn(name="average", heading="average", width=8, draw=_rating, sort_key=lambda row: row.average_rating),
        TableColumn(
            name="interval",
            heading="95 % interval",
            width=16,
            draw=lambda row, inks, _: (interval(row), inks.muted),
            rank=1,
        ),
        _figure("cost", "cost", 9, lambda row: row.cost_nano_usd, lambda row: fmt.usd(row.cost_nano_usd), rank=1),
        _figure("value", "per $", 8, lambda row: row.value_per_usd if row.is_ranked else None, value_per_usd),
    ),
    identity=lambda row: row.source,
    sorted_by="votes",
    nothing="Nothing was rated. Rate requests on the live screen with [$accent]r[/]: it counts for every source in them.",
)

SIZES: Final = Section(
    name="sizes",
    title="Sizes",
    rows=lambda found: found.sizes,
    columns=(
        *_source_columns(),
        _figure("first", "at first", 8, lambda row: row.points[0].tokens, lambda row: fmt.tokens(row.points[0].tokens), rank=1),
        _figure("now", "now", 8, lambda row: row.points[-1].tokens, lambda row: fmt.tokens(row.points[-1].tokens)),
        _figure("growth", "growth", 8, lambda row: row.growth, lambda row: fmt.growth(row.growth)),
        TableColumn(
            name="trend",
            heading="trend",
            width=_TREND,
            draw=lambda row, inks, cells: (fmt.sparkline([p.tokens for p in row.points], cells), _swatch(row, inks, 1)[1]),
            is_right=False,
            rank=1,
        ),
    ),
    identity=lambda row: row.source,
    sorted_by="now",
    nothing="Nothing defines a source.",
)

SECTIONS: Final = (FINDINGS, BREAKS, CARRIED, WORTHS, SIZES)
"""In the order of the tabs."""
