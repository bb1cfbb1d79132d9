"""The one entrance of exports: a filter and a format in, pieces of text out, in bounded memory however much there is."""

from collections.abc import Callable, Iterator

from storage.export.document import write_json, write_jsonl
from storage.export.har import write_har
from storage.export.options import ExportFormat, ExportOptions
from storage.export.otlp import write_otlp
from storage.export.table import write_csv
from storage.filters.clauses import compile_filter
from storage.filters.tree import Filter
from storage.store import Store

_WRITERS: dict[ExportFormat, Callable[[Store, Filter, ExportOptions], Iterator[str]]] = {
    ExportFormat.JSON: write_json,
    ExportFormat.JSONL: write_jsonl,
    ExportFormat.HAR: write_har,
    ExportFormat.CSV: write_csv,
    ExportFormat.OTLP_JSON: write_otlp,
}

EVERYTHING = Filter("")
DEFAULT_OPTIONS = ExportOptions()


def export(
    store: Store,
    wanted: Filter = EVERYTHING,
    export_format: ExportFormat = ExportFormat.JSON,
    options: ExportOptions = DEFAULT_OPTIONS,
) -> Iterator[str]:
    """Yield an export piece by piece; all pieces together are the file, in UTF-8.

    Args:
        store: Where from.
        wanted: What passes this filter, oldest first.
        export_format: As what.
        options: How much of it.
    """
    return _WRITERS[export_format](store, wanted, options)


def count_exported(store: Store, wanted: Filter) -> int:
    """Return how many exchanges an export will hold, for showing progress."""
    return store.exchanges.count(None if wanted.is_empty else compile_filter(wanted))
