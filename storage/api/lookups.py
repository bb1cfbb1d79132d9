"""Finding what an id names: an id is whole, and one of any other shape names nothing."""

import re

from storage.api.errors import ApiError
from storage.store import Store
from storage.views import ExchangeDetail

_EXCHANGE_ID = re.compile("[0-9a-f]{32}")
_NUMBER = re.compile("[1-9][0-9]{0,17}")


def exchange_id(asked: str) -> str:
    """Return the id of an exchange.

    Raises:
        ApiError: No exchange has such an id; the store would take the beginning of one for it.
    """
    if _EXCHANGE_ID.fullmatch(asked) is None:
        raise ApiError(404, "There is no such exchange")
    return asked


def find_exchange(store: Store, asked: str) -> ExchangeDetail:
    """Return an exchange.

    Raises:
        ApiError: There is none.
    """
    found = store.exchanges.detail(exchange_id(asked))
    if found is None:
        raise ApiError(404, "There is no such exchange")
    return found


def feedback_number(asked: str) -> int:
    """Return the number of a rating.

    Raises:
        ApiError: No rating has such an id.
    """
    if _NUMBER.fullmatch(asked) is None:
        raise ApiError(404, "There is no such rating")
    return int(asked)
