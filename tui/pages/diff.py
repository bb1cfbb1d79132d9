"""The diff tab: what changed since the request before in the same conversation, and what that did to the cache."""

from difflib import SequenceMatcher
from typing import Final

from rich.style import Style

from proxy_core.attribution.cache_breaks import BreakCause, CacheBreak, find_cache_break
from proxy_core.attribution.comparison import Change, SegmentChange, compare_segments
from proxy_core.attribution.model import Attribution, CallFacts, Segment, Source
from storage.views import ExchangeDetail
from tui import format as fmt
from tui.colours import KINDS, kind_colour
from tui.invocation import own_command
from tui.pages.sheet import Sheet, visible
from tui.theme import Inks, ink

_MINUS: Final = "−"  # noqa: RUF001 - as wide as the plus
_MARKS: Final = {Change.ADDED: "+", Change.REMOVED: _MINUS, Change.EDITED: "~", Change.MOVED: "↕"}
_SHOWN_LINES: Final = 6
"""Lines of a changed segment that are shown; the rest is a key away."""
_COMPARED_CHARS: Final = 20_000
"""Longest text that is compared line by line."""

_CAUSES: Final = {
    BreakCause.ADDED: "something was put in before what was cached",
    BreakCause.REMOVED: "something that was cached was taken out",
    BreakCause.EDITED: "something that was cached was edited",
    BreakCause.REORDERED: "something that was cached moved",
    BreakCause.TTL_EXPIRED: "the cache had run out: too long since the request before",
    BreakCause.MODEL_CHANGED: "another model answered; each has a cache of its own",
    BreakCause.SETTINGS_CHANGED: "a setting that is part of the cached prompt changed",
    BreakCause.UNEXPLAINED: "nothing on the wire explains it: the API dropped it, or something invisible changed",
}


def write_diff(sheet: Sheet, before: ExchangeDetail | None, after: ExchangeDetail) -> None:
    """Write what changed; `before` is `None` for the first request of a conversation."""
    if before is None:
        sheet.heading("Nothing to compare with")
        sheet.text("This is the first request of its conversation that was captured.", sheet.inks.muted)
        sheet.text("To see a change, choose a later one of it: t puts the requests of a session together.", sheet.inks.muted)
        write_distortion(sheet, after)
        return
    sheet.heading(f"Since #{before.summary.id}", _gap_text(before, after))
    changes = compare_segments(before.segments, after.segments)
    _write_counts(sheet, changes, before.segments, after.segments)
    _write_cache(sheet, before, after)
    write_distortion(sheet, after)
    changed = [change for change in changes if change.change is not Change.SAME]
    sheet.heading("Segment by segment", "" if changed else "nothing changed")
    for change in changed:
        _write_change(sheet, change, before.segments, after.segments)


def _gap_text(before: ExchangeDetail, after: ExchangeDetail) -> str:
    return f"{fmt.milliseconds(_gap_seconds(before, after) * 1000)} earlier"


def _gap_seconds(before: ExchangeDetail, after: ExchangeDetail) -> float:
    end_us = before.timing.delivered_us or before.timing.client_started_us
    return max(0.0, (after.timing.client_started_us - end_us) / 1_000_000)


def _write_counts(sheet: Sheet, changes: tuple[SegmentChange, ...], old: tuple[Segment, ...], new: tuple[Segment, ...]) -> None:
    runs: list[tuple[str, Style]] = [(" ", sheet.inks.plain)]
    for change, word in (
        (Change.ADDED, "added"),
        (Change.REMOVED, "removed"),
        (Change.EDITED, "edited"),
        (Change.MOVED, "moved"),
    ):
        found = [item for item in changes if item.change is change]
        if found:
            size = sum(_segment(item, old, new).content_bytes for item in found)
            runs.append((f"{_MARKS[change]} {len(found)} {word}", _ink(change, sheet.inks)))
            runs.append((f" ({fmt.size(size)})   ", sheet.inks.muted))
    same = sum(1 for item in changes if item.change is Change.SAME)
    sheet.line(*runs, (f"{same} unchanged", sheet.inks.muted))


def _write_cache(sheet: Sheet, before: ExchangeDetail, after: ExchangeDetail) -> None:
    found = find_cache_break(_attribution(before), _attribution(after), _gap_seconds(before, after))
    sheet.heading("Cache")
    if found is None:
        _write_hit(sheet, after)
        return
    cost = f", {fmt.usd(found.extra_cost_nano_usd)} more than reading it" if found.extra_cost_nano_usd is not None else ""
    sheet.text(f"✗ broken: {fmt.tokens(found.rewritten_tokens)} tokens paid for again{cost}", sheet.inks.error)
    sheet.text(f"why: {_CAUSES[found.cause]}", sheet.inks.plain, indent=3)
    if found.source is not None:
        start = len(sheet.lines)
        sheet.text(f"where: {_place(found, after)}", sheet.inks.plain, indent=3)
        if found.segment_index is not None:
            sheet.link(found.segment_index, start)
    sheet.text(
        f"{fmt.tokens(found.expected_tokens)} were cached, {fmt.tokens(found.read_tokens)} of them read",
        sheet.inks.muted,
        indent=3,
    )


def write_distortion(sheet: Sheet, detail: ExchangeDetail) -> None:
    """Say that the way of capturing changed the request, and how to capture it as it is; nothing where it did not."""
    if not detail.summary.is_distorted:
        return
    sheet.heading("Capture")
    sheet.text(
        "≠ came through a base URL: the client then switches tool search off, sends every tool definition,"
        " and sets other cache marks than it would towards the API itself.",
        sheet.inks.warning,
    )
    instead = f"{own_command()} run -- claude, without ANTHROPIC_BASE_URL"
    sheet.text(f"→ Capture by interception instead: {instead}.", sheet.inks.accent)


def _write_hit(sheet: Sheet, after: ExchangeDetail) -> None:
    summary = after.summary
    if summary.cache_read_tokens is None or after.ledger is None or not after.ledger.is_settled:
        sheet.text("not billed, so not known", sheet.inks.muted)
        return
    share = fmt.percent(summary.cache_read_tokens, summary.input_tokens)
    sheet.text(f"✓ held: {fmt.tokens(summary.cache_read_tokens)} tokens read from it ({share} of the input)", sheet.inks.good)


def _place(found: CacheBreak, after: ExchangeDetail) -> str:
    name = _source_name(found.source) if found.source is not None else fmt.UNKNOWN
    if found.segment_index is None:
        return name
    return f"{name} at {after.segments[found.segment_index].pointer}"


def _write_change(sheet: Sheet, change: SegmentChange, old: tuple[Segment, ...], new: tuple[Segment, ...]) -> None:
    segment = _segment(change, old, new)
    style = _ink(change.change, sheet.inks)
    start = len(sheet.lines)
    colour = ink(kind_colour(segment.source.source_type, is_dark=sheet.inks.is_dark))
    where = f"{segment.pointer}  {fmt.size(segment.content_bytes)}"
    sheet.line(
        (f" {_MARKS[change.change]} ", style),
        ("■ ", colour),
        (_source_name(segment.source), sheet.inks.strong),
        (f"  {segment.part.value}  ", sheet.inks.muted),
        (where, sheet.inks.muted),
    )
    if change.change is Change.EDITED and change.before_index is not None:
        _write_edit(sheet, old[change.before_index].text, segment.text)
    elif change.change in {Change.ADDED, Change.REMOVED}:
        _write_lines(sheet, [(_MARKS[change.change], line) for line in segment.text.splitlines()], style)
    if change.after_index is not None:
        sheet.link(change.after_index, start)


def _write_edit(sheet: Sheet, before: str, after: str) -> None:
    if max(len(before), len(after)) > _COMPARED_CHARS:
        sheet.text("too long to compare line by line; open it to read", sheet.inks.muted, indent=5)
        return
    old, new = before.splitlines(), after.splitlines()
    shown: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            shown += [(_MINUS, line) for line in old[i1:i2]] + [("+", line) for line in new[j1:j2]]
    _write_lines(sheet, shown, None)


def _write_lines(sheet: Sheet, marked: list[tuple[str, str]], style: Style | None) -> None:
    shown = [item for item in marked if item[1].strip()]
    for mark, line in shown[:_SHOWN_LINES]:
        own = style or _ink(Change.ADDED if mark == "+" else Change.REMOVED, sheet.inks)
        shown_line = fmt.fit(visible(line.rstrip()), max(10, sheet.width - 8)).rstrip()
        sheet.line((f"     {mark} ", own), (shown_line, own if style is None else sheet.inks.muted))
    if len(shown) > _SHOWN_LINES:
        more = len(shown) - _SHOWN_LINES
        sheet.text(f"… {more} more line{'s' if more != 1 else ''}", sheet.inks.muted, indent=7)


def _segment(change: SegmentChange, old: tuple[Segment, ...], new: tuple[Segment, ...]) -> Segment:
    if change.after_index is not None:
        return new[change.after_index]
    assert change.before_index is not None, "a change has one side at least"
    return old[change.before_index]


def _source_name(source: Source) -> str:
    label = KINDS[source.source_type].label
    return f"{label}: {fmt.one_line(source.source_name)}" if source.source_name else label


def _ink(change: Change, inks: Inks) -> Style:
    return {Change.ADDED: inks.good, Change.REMOVED: inks.error, Change.EDITED: inks.warning, Change.MOVED: inks.accent}[change]


def _attribution(detail: ExchangeDetail) -> Attribution:
    return Attribution(
        version=detail.summary.attribution_version or 0,
        facts=detail.facts or CallFacts(dialect="unknown"),
        segments=detail.segments,
        ledger=detail.ledger,
    )
