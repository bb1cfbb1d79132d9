"""Saved filters: lines of the filter language under a name."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from storage.api.schemas.common import Answer, Limit, Offset, Question
from storage.filters.parsing import MAX_LENGTH
from storage.filters.saved import SavedFilter

_EXAMPLE = "cost:>0.05 -class:main"

FilterName = Annotated[str, Field(pattern=r"^[\w-][\w.-]{0,39}$", examples=["costly"])]
"""In any case of letters, without the `@`."""

_Line = Annotated[
    str,
    Field(min_length=1, max_length=MAX_LENGTH, strict=True),
    WithJsonSchema(
        {"type": "string", "format": "assay-filter", "minLength": 1, "maxLength": MAX_LENGTH, "examples": [_EXAMPLE]}
    ),
]


class FiltersQuery(Question):
    """Which page of the list is wanted."""

    limit: Limit = 100
    offset: Offset = 0


class FilterDraft(Question):
    """What is to be kept under a name."""

    text: _Line
    """A line of the filter language; `@name` in it stands for another saved filter."""


class SavedFilterAnswer(Answer):
    """One saved filter, written `@name` wherever a filter is."""

    name: str = Field(examples=["costly"])
    """In lower case, without the `@`."""
    text: str = Field(examples=[_EXAMPLE])
    """The line; `since:1h` in it is always the last hour."""


class SavedFilterList(Answer):
    """Saved filters, by name."""

    filters: list[SavedFilterAnswer]
    total: int
    limit: int
    offset: int


def present_filter(view: SavedFilter) -> SavedFilterAnswer:
    """Present one saved filter."""
    return SavedFilterAnswer(name=view.name, text=view.text)
