"""The parameters of a request list, turned into a filter: the same tree that the filter language makes."""

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from proxy_core.attribution.model import SourceType
from storage.api.errors import ApiError
from storage.api.schemas.common import AskedId, Limit, Offset, Period, Question
from storage.filters.fields import FIELD_BY_NAME
from storage.filters.parsing import MAX_LENGTH
from storage.filters.saved import SavedFilters
from storage.filters.tree import Conjunction, Filter, FilterError, Node, Term, TextTest, TimeTest
from storage.filters.values import BadValue, read_value

_Text = Annotated[str, Field(min_length=1, max_length=1000)]

FilterLine = Annotated[
    str,
    Field(max_length=MAX_LENGTH),
    WithJsonSchema(
        {
            "type": "string",
            "format": "assay-filter",
            "maxLength": MAX_LENGTH,
            "examples": ["kind:mcp status:>=400 since:1h"],
        }
    ),
]
"""A line of the filter language, see docs/filters.md."""


class RequestsQuery(Period):
    """Which requests are wanted, and in which order."""

    context_source: _Text | None = None
    """Name of a source that is in the request, whole."""
    model: _Text | None = None
    """Part of the model's name."""
    status: Annotated[str, Field(pattern="^([1-5][0-9]{2}|[1-5]xx)$", examples=["4xx"])] | None = None
    """A status, or a class of them: `529`, `4xx`."""
    session_id: _Text | None = None
    q: FilterLine | None = None
    """A line of the filter language."""
    order: Literal["desc", "asc"] = "desc"
    """Newest first, or oldest first."""
    limit: Limit = 20
    offset: Offset = 0
    """How many to leave out; a cursor is quicker for large ones, and no row comes twice."""
    cursor: Annotated[str, Field(pattern="^[1-9][0-9]{0,17}$")] | None = None
    """`next_cursor` of the page before."""


class ContextsQuery(Question):
    """Which attributions are wanted."""

    request_id: AskedId | None = None
    """All of one request; without it one line per request and source, newest first."""
    source_name: Annotated[str, Field(max_length=1000)] | None = None
    """Exactly this name, or this `source_detail`."""
    source_type: SourceType | None = None
    limit: Limit = 100
    """Only without `request_id`."""
    offset: Offset = 0
    """Only without `request_id`."""


def filter_of(query: RequestsQuery, saved: SavedFilters) -> Filter:
    """Return the filter that the parameters mean; `@name` in `q` is a saved filter.

    Raises:
        ApiError: `q` or `status` cannot be read.
    """
    terms: list[Node] = []
    if query.start_time is not None:
        terms.append(Term("since", (TimeTest(at_us=query.start_time),)))
    if query.end_time is not None:
        terms.append(Term("until", (TimeTest(at_us=query.end_time),)))
    for field, text, is_exact in (
        ("source", query.context_source, True),
        ("model", query.model, False),
        ("session", query.session_id, True),
    ):
        if text is not None:
            terms.append(Term(field, (TextTest(text, is_exact=is_exact),)))
    if query.status is not None:
        terms.append(_status_term(query.status))
    if query.q is not None:
        terms.append(read_line(query.q, saved))
    return Filter(query.q or "", Conjunction(tuple(terms)))


def _status_term(status: str) -> Term:
    test = read_value(FIELD_BY_NAME["status"], status)
    if isinstance(test, BadValue):
        raise ApiError(400, "The status cannot be read", test.message)
    return Term("status", (test,))


def read_line(text: str, saved: SavedFilters) -> Node:
    """Read a line of the filter language; `@name` in it is a saved filter.

    Raises:
        ApiError: It cannot be read.
    """
    found = saved.parse(text)
    if isinstance(found, FilterError):
        raise ApiError(400, "The filter cannot be read", str(found))
    return found.root
