"""The report as one HTML page: inline styles and pictures, no script, nothing fetched from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape

from proxy_core.attribution.model import Zone
from storage.insights.findings import Finding
from storage.insights.worth import Worth
from tui import colours
from tui import format as text
from tui.report.charts import context_chart, stacked_chart
from tui.report.contents import Report
from tui.report.style import STYLE

FINDINGS_SHOWN = 12
"""How many findings a page lists."""

_ZONE_NAMES = {
    Zone.CACHE_READ: "read from cache",
    Zone.CACHE_WRITE_1H: "written for 1 hour",
    Zone.CACHE_WRITE_5M: "written for 5 minutes",
    Zone.FRESH: "fresh input",
    Zone.OUTPUT: "output",
}


def render_html(report: Report) -> str:
    """Lay out the whole page."""
    sections = (
        _headline(report),
        _spectrum(report),
        _findings(report),
        _breaks(report),
        _over_time(report),
        _zones(report),
        _sources(report),
        _carried(report),
        _worth(report.insights.worths),
        _footer(report),
    )
    body = "\n".join(section for section in sections if section)
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_plain(report.title)}</title><style>{STYLE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


def _headline(report: Report) -> str:
    totals = report.totals
    figures = (
        ("Requests", text.whole(totals.total_requests)),
        ("Input tokens", text.tokens(totals.total_input_tokens)),
        ("Output tokens", text.tokens(totals.total_output_tokens)),
        ("Cost", text.usd(totals.total_cost_nano_usd)),
        ("Could be saved", text.usd(report.insights.waste.cost_nano_usd)),
    )
    tiles = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    unpriced = (
        f'<p class="note">{totals.unpriced_requests} requests have no known price.</p>' if totals.unpriced_requests else ""
    )
    title = f"<h1>{_plain(report.title)}</h1><p>{_plain(report.range_text)}</p>"
    return f"<header>{title}<dl class=tiles>{tiles}</dl>{unpriced}</header>"


def _spectrum(report: Report) -> str:
    total = sum(amount.tokens for _, amount in report.by_kind)
    if not total:
        return ""
    bar, legend = [], []
    for kind, amount in report.by_kind:
        style = colours.KINDS[kind]
        share = amount.tokens / total
        bar.append(f'<i style="--d:{style.dark};--l:{style.light};flex-grow:{amount.tokens}" title="{style.label}"></i>')
        legend.append(
            f'<li><i style="--d:{style.dark};--l:{style.light}"></i>{style.label} <b>{share:.1%}</b>'
            f" <span>{text.tokens(amount.tokens)}, {text.usd(amount.cost_nano_usd)}</span></li>"
        )
    return (
        "<section><h2>What the requests were made of</h2>"
        f'<div class="spectrum">{"".join(bar)}</div><ul class="legend">{"".join(legend)}</ul></section>'
    )


def _over_time(report: Report) -> str:
    charts = ""
    if len({point.bucket_us for point in report.series}) > 1:
        charts += f"<h2>Tokens over time</h2>{stacked_chart(report.series)}"
    if len(report.context_growth) > 1:
        charts += f"<h2>How the context grew</h2>{context_chart(report.context_growth)}"
    return f"<section>{charts}</section>" if charts else ""


def _zones(report: Report) -> str:
    rows = [
        (
            _swatch(*(colours.zone_colour(zone, is_dark=d) for d in (True, False))) + _ZONE_NAMES[zone],
            *_figures(a.tokens, a.cost_nano_usd),
        )
        for zone, a in report.by_zone
    ]
    return _table("How it was billed", ("Zone", "Tokens", "Cost"), rows, "lrr") if rows else ""


def _sources(report: Report) -> str:
    total = sum(amount.tokens for _, amount in report.by_kind)
    rows = []
    for source in report.sources:
        style = colours.KINDS[source.source_type]
        name = _plain(source.source_name or "")
        share = text.percent(source.total_tokens, total)
        rating = text.rating(source.average_rating)
        rows.append(
            (
                f"{_swatch(style.dark, style.light)}{style.label} <b>{name}</b>",
                text.whole(source.usage_count),
                *_figures(source.total_tokens, source.total_cost_nano_usd),
                share,
                rating,
            )
        )
    return _table("Sources, the dearest first", ("Source", "Requests", "Tokens", "Cost", "Share", "Rating"), rows, "lrrrrr")


def _findings(report: Report) -> str:
    findings = report.insights.findings
    if not findings:
        return "<section><h2>What to change</h2><p>Nothing was found that was carried in vain.</p></section>"
    items = "".join(map(_finding, findings[:FINDINGS_SHOWN]))
    more = len(findings) - FINDINGS_SHOWN
    rest = f"<p class=note>and {more} smaller ones: <code>assay insights</code></p>" if more > 0 else ""
    return f"<section><h2>What to change</h2><ol class=findings>{items}</ol>{rest}</section>"


def _finding(finding: Finding) -> str:
    mark = "" if finding.is_certain else ' <em title="a reading of the traffic, not a fact on the wire">perhaps</em>'
    tokens, cost = _figures(finding.tokens, finding.cost_nano_usd)
    head = f"<b>{_plain(finding.summary)}</b>{mark}<span>{tokens} tokens, {cost}</span>"
    return f"<li><p>{head}</p><p>{_plain(finding.action)}</p></li>"


def _breaks(report: Report) -> str:
    rows = [
        (
            f"<b>{_plain(story.summary)}</b><br><small>{_plain(story.action)}</small>",
            text.whole(story.breaks),
            *_figures(story.rewritten_tokens, story.extra_cost_nano_usd),
        )
        for story in report.insights.breaks
    ]
    head = ("What broke the prompt cache", "Times", "Rewritten", "Extra cost")
    return _table("The cache's story", head, rows, "lrrr") if rows else ""


def _carried(report: Report) -> str:
    rows = []
    for item in report.insights.carried:
        style = colours.KINDS[item.source.source_type]
        name = f"{style.label} <b>{_plain(item.source.source_name or '')}</b> {item.part}"
        rows.append(
            (
                _swatch(style.dark, style.light) + name,
                text.tokens(item.tokens_each),
                text.whole(item.turns_carried),
                text.usd(item.entry.cost_nano_usd),
                text.usd(item.carried.cost_nano_usd),
            )
        )
    head = ("Content", "Tokens", "Requests", "To enter", "To carry")
    return _table("What carrying costs", head, rows[:10], "lrrrr") if rows else ""


def _worth(worths: Sequence[Worth]) -> str:
    rows = []
    for worth in worths:
        style = colours.KINDS[worth.source.source_type]
        interval = "too few" if worth.interval is None else f"{worth.interval[0]:+.2f} to {worth.interval[1]:+.2f}"
        value = f"{worth.value_per_usd:,.1f}" if worth.is_ranked and worth.value_per_usd is not None else "not ranked"
        rows.append(
            (
                f"{style.label} <b>{_plain(worth.source.source_name or '')}</b>",
                text.whole(worth.votes),
                f"{worth.average_rating:+.2f}",
                interval,
                value,
            )
        )
    return (
        _table("What it was worth", ("Source", "Votes", "Average", "95 % interval", "Value per $"), rows, "lrrrr")
        if rows
        else ""
    )


def _footer(report: Report) -> str:
    cut = " Only the newest requests of the range were looked at." if report.insights.is_cut else ""
    made = text.precise(report.made_us)
    return (
        f"<footer>Made by Assay {_plain(report.version)} on {made}. Figures are billed tokens; what each source is billed is"
        f" calibrated between exact positions.{cut}</footer>"
    )


def _figures(tokens: int, cost_nano_usd: int | None) -> tuple[str, str]:
    return text.tokens(tokens), text.usd(cost_nano_usd)


def _swatch(dark: str, light: str) -> str:
    return f'<i class="swatch" style="--d:{dark};--l:{light}"></i>'


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    cells = "".join(f'<th class="{a}">{name}</th>' for name, a in zip(head, align, strict=True))
    body = "".join(
        "<tr>" + "".join(f'<td class="{a}">{cell}</td>' for cell, a in zip(row, align, strict=True)) + "</tr>" for row in rows
    )
    return f"<section><h2>{title}</h2><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></section>"


def _plain(value: str) -> str:
    """Keep a name from the traffic from becoming markup, or a terminal's command where the page is printed raw."""
    return escape(text.one_line(value))
