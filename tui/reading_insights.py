"""What the insights screen's workers call: a recomputation, and a report written to a file."""

import json
from pathlib import Path

from proxy_core.attribution.model import Source, SourceType
from storage.insights.reading import InsightReader
from storage.insights.what_if import WhatIf, deferred, without
from storage.ranges import TimeRange
from storage.store import Store

_DEFERRABLE = frozenset({SourceType.MCP_SERVER, SourceType.TOOL})


def what_if(store: Store, wanted: TimeRange, source: Source | None) -> tuple[WhatIf, WhatIf | None]:
    """Recompute a range without a source.

    Returns:
        The range without it, and, for tools, with its definitions deferred.
    """
    turns = InsightReader(store.database).turns(wanted, has_texts=False)
    later = None
    if source is not None and source.source_type in _DEFERRABLE:
        later = deferred(turns, lambda other: other == source)
    return without(turns, lambda other: other == source), later


def write_report(store: Store, path: Path, wanted: TimeRange) -> tuple[str, bool]:
    """Write the report of a range to a new file, in the form that its ending names.

    Returns:
        What was done or why not, for people, and whether it was done.
    """
    from tui.report.gathering import gather_report
    from tui.report.html import render_html
    from tui.report.markdown import render_markdown
    from tui.report.objects import report_object

    report = gather_report(store.database, wanted, None)
    if path.suffix.lower() == ".html":
        text = render_html(report)
    elif path.suffix.lower() == ".md":
        text = render_markdown(report)
    else:
        text = json.dumps(report_object(report), indent=2) + "\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text)
    except OSError as error:
        return f"Could not write {path.name}: {error.strerror or error}", False
    return f"Wrote {path}", True
