"""Saved filters: list, read, keep, remove; `q` takes them as `@name`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from storage.api.answers import AnswerRoute
from storage.api.context import StoreOf
from storage.api.errors import ApiError
from storage.api.responses import error_responses
from storage.api.schemas.filters import (
    FilterDraft,
    FilterName,
    FiltersQuery,
    SavedFilterAnswer,
    SavedFilterList,
    present_filter,
)
from storage.filters.saved import NoSuchSavedFilterError, SavedFilterError

router = APIRouter(prefix="/filters", tags=["filters"], route_class=AnswerRoute)

_NOT_FOUND = error_responses(not_found="There is no such saved filter.")
_Name = Annotated[FilterName, Path()]


@router.get("")
def list_filters(query: Annotated[FiltersQuery, Query()], store: StoreOf) -> SavedFilterList:
    """Saved filters, by name."""
    found = store.filters.all()
    page = found[query.offset : query.offset + query.limit]
    shown = [present_filter(one) for one in page]
    return SavedFilterList(filters=shown, total=len(found), limit=query.limit, offset=query.offset)


@router.get("/{name}", responses=_NOT_FOUND)
def get_filter(name: _Name, store: StoreOf) -> SavedFilterAnswer:
    """One saved filter."""
    try:
        return present_filter(store.filters.find(name))
    except NoSuchSavedFilterError as error:
        raise _missing() from error


@router.put("/{name}")
def save_filter(name: _Name, draft: FilterDraft, store: StoreOf) -> SavedFilterAnswer:
    """Keep a line under a name; what was kept under it is replaced."""
    try:
        return present_filter(store.filters.save(name, draft.text))
    except SavedFilterError as error:
        raise ApiError(400, "The filter cannot be saved", str(error)) from error


@router.delete("/{name}", status_code=204, responses=_NOT_FOUND | error_responses(conflict="Another saved filter uses it."))
def remove_filter(name: _Name, store: StoreOf) -> Response:
    """Forget a saved filter."""
    try:
        store.filters.remove(name)
    except NoSuchSavedFilterError as error:
        raise _missing() from error
    except SavedFilterError as error:
        raise ApiError(409, "The filter is in use", str(error)) from error
    return Response(status_code=204)


def _missing() -> ApiError:
    return ApiError(404, "There is no such saved filter", "GET /api/claude/filters lists them")
