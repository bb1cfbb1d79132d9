"""The report as Markdown, for an issue or a chat."""

from collections.abc import Iterable, Sequence

from tui import colours
from tui import format as text
from tui.report.contents import Report


def render_markdown(report: Report) -> str:
    """Lay out the report; tables in GitHub's flavour."""
    parts = (
        f"# {_plain(report.title)}",
        _plain(report.range_text),
        _headline(report),
        _kinds(report),
        _sources(report),
        _findings(report),
        _breaks(report),
        f"Made by Assay {report.version} on {text.precise(report.made_us)}.",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(report: Report) -> str:
    totals = report.totals
    return (
        f"{text.whole(totals.total_requests)} requests, {text.tokens(totals.total_input_tokens)} tokens in,"
        f" {text.tokens(totals.total_output_tokens)} out, {text.usd(totals.total_cost_nano_usd)};"
        f" {text.usd(report.insights.waste.cost_nano_usd)} could be saved."
    )


def _kinds(report: Report) -> str:
    whole = sum(amount.tokens for _, amount in report.by_kind)
    rows = (
        (colours.KINDS[kind].label, text.tokens(a.tokens), text.percent(a.tokens, whole), text.usd(a.cost_nano_usd))
        for kind, a in report.by_kind
    )
    return _table("What the requests were made of", ("Kind", "Tokens", "Share", "Cost"), rows)


def _sources(report: Report) -> str:
    rows = (
        (
            f"{colours.KINDS[source.source_type].label} **{_plain(source.source_name or '')}**".replace(" ****", ""),
            text.whole(source.usage_count),
            text.tokens(source.total_tokens),
            text.usd(source.total_cost_nano_usd),
        )
        for source in report.sources
    )
    return _table("Sources, the dearest first", ("Source", "Requests", "Tokens", "Cost"), rows)


def _findings(report: Report) -> str:
    items = (
        f"**{_plain(f.summary)}**{'' if f.is_certain else ' (perhaps)'}:"
        f" {text.tokens(f.tokens)} tokens, {text.usd(f.cost_nano_usd)}. {_plain(f.action)}"
        for f in report.insights.findings
    )
    return _list("What to change", items)


def _breaks(report: Report) -> str:
    items = (
        f"**{_plain(s.summary)}**, {s.breaks}x: {text.tokens(s.rewritten_tokens)} tokens rewritten,"
        f" {text.usd(s.extra_cost_nano_usd)} extra. {_plain(s.action)}"
        for s in report.insights.breaks
    )
    return _list("The cache's story", items)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = [f"| {' | '.join(row)} |" for row in rows]
    if not body:
        return ""
    ruler = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join((f"## {title}", "", f"| {' | '.join(head)} |", ruler, *body))


def _list(title: str, items: Iterable[str]) -> str:
    lines = [f"{number}. {item}" for number, item in enumerate(items, 1)]
    return "\n".join((f"## {title}", "", *lines)) if lines else ""


def _plain(value: str) -> str:
    """Keep a name from a request from becoming markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in text.one_line(value))
