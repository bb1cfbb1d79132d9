"""The headers tab: both heads as on the wire, secrets replaced before they were stored, and what is known of the bodies."""

from typing import Final

from proxy_core.exchange import Headers
from storage.views import BodyFacts, ExchangeDetail
from tui import format as fmt
from tui.pages.sheet import Sheet

_LEAST_NAME_CELLS: Final = 10


def write_headers(sheet: Sheet, detail: ExchangeDetail) -> None:
    """Write request and response head."""
    summary = detail.summary
    sheet.heading("Request", f"{detail.request_http_version} · {summary.mode.value}")
    sheet.text(f"{summary.method} {summary.url}", sheet.inks.accent)
    cells = _write(sheet, detail.request_headers, detail.request_trailers)
    _write_body(sheet, detail.request_body, cells)
    if detail.response_http_version is None:
        sheet.heading("Response")
        sheet.text("no answer (yet)", sheet.inks.muted)
        return
    sheet.heading("Response", detail.response_http_version)
    is_error = (summary.status_code or 0) >= 400
    status = f"{summary.status_code if summary.status_code is not None else fmt.UNKNOWN} {detail.response_reason or ''}"
    sheet.text(status.strip(), sheet.inks.error if is_error else sheet.inks.good)
    cells = _write(sheet, detail.response_headers, detail.response_trailers)
    if detail.response_body is not None:
        _write_body(sheet, detail.response_body, cells)


def _write(sheet: Sheet, headers: Headers, trailers: Headers) -> int:
    """Write names and values; return the cells of the names."""
    most = max(34, sheet.width * 11 // 20)  # names that are cut look alike: `anthropic-ratelimit-input-tokens-...`
    cells = min(most, max((len(name) for name, _ in (*headers, *trailers)), default=_LEAST_NAME_CELLS))
    for name, value in headers:
        style = sheet.inks.warning if "[REDACTED" in value else None
        sheet.pair(name, value, name_cells=cells, style=style)
    for name, value in trailers:
        sheet.pair(name, f"{value}  (trailer)", name_cells=cells)
    return cells


def _write_body(sheet: Sheet, body: BodyFacts, cells: int) -> None:
    remarks = [
        text
        for holds, text in (
            (body.content_encoding is not None, f"encoded as {body.content_encoding}"),
            (body.is_redacted, "a secret in it was replaced"),
            (body.is_decoded, "kept decoded"),
            (body.is_truncated, "cut off"),
            (not body.is_kept, "bytes no longer kept"),
        )
        if holds
    ]
    sheet.pair("body", " · ".join([fmt.size(body.wire_bytes), *remarks]), name_cells=cells)
    fits = cells + len(body.wire_sha256) + 3 <= sheet.width  # else in one piece further left: it is there to be copied
    sheet.pair("sha-256", body.wire_sha256, name_cells=cells if fits else _LEAST_NAME_CELLS, style=sheet.inks.muted)
