"""Ratings: one per exchange, given by a person, counted for every source that was in the request.

The copy on the exchange and the aggregates of its sources (`storage.ratings`) change in the transaction that changes the
rating; there is no moment at which they differ. What a person wrote passes the redactor here, wherever it came from: a key
pasted into a comment must not reach the disk.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from proxy_core.redact import Redactor
from storage.database import Database
from storage.errors import NoSuchExchangeError, StorageError
from storage.models import ExchangeRow, ExchangeSourceRow, FeedbackRow, SourceRow
from storage.ranges import ALL_TIME, TimeRange
from storage.ratings import add_to_sources, take_from_sources
from storage.views import Feedback

_exchange = ExchangeRow.__table__.c
_feedback = FeedbackRow.__table__.c
_source = SourceRow.__table__.c
_use = ExchangeSourceRow.__table__.c

MAX_TEXT_LENGTH = 2000
"""Longest comment, in characters."""
LOCAL_USER = "local-user"
"""Who rates where nobody says who does."""


class FeedbackError(StorageError):
    """A rating that cannot be taken, for a reason a person can mend."""


class InvalidFeedbackError(FeedbackError):
    """The rating is not between -1 and 1, or a text is too long."""


class AlreadyRatedError(FeedbackError):
    """The exchange has a rating; it can be changed or removed."""


class NoSuchFeedbackError(FeedbackError):
    """There is no such rating."""


class Keep(Enum):
    """Says that a value stays as it is, where `None` would remove it."""

    KEEP = "keep"


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackQuery:
    """Which ratings are wanted; `None` leaves a side open."""

    min_rating: float | None = None
    """This rating or a better one."""
    max_rating: float | None = None
    """This rating or a worse one."""
    user_id: str | None = None
    submitted: TimeRange = ALL_TIME
    """When it was given."""


class FeedbackStore:
    """Takes, changes, removes and lists ratings.

    Args:
        database: Where they are.
        now_us: The clock.
        redactor: Replaces secrets in what is written; `None`: one of its own, whose fingerprints are nobody else's.
    """

    def __init__(
        self,
        database: Database,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        redactor: Redactor | None = None,
    ) -> None:
        self._database = database
        self._now_us = now_us
        self._redactor = redactor or Redactor(secrets.token_bytes(32))

    def rate(self, exchange_id: str, rating: float, feedback_text: str | None = None, user_id: str = LOCAL_USER) -> Feedback:
        """Rate an exchange.

        Args:
            exchange_id: The exchange's id, 32 hex digits.
            rating: -1.0 to 1.0.
            feedback_text: A comment of at most 2000 characters.
            user_id: Who rates.

        Raises:
            InvalidFeedbackError: A value is out of bounds.
            NoSuchExchangeError: There is no such exchange.
            AlreadyRatedError: It is rated already.
        """
        _check(rating, feedback_text)
        text = self._redacted(feedback_text)
        user = self._redactor.text(user_id)
        values = {"rating": rating, "feedback_text": text, "user_id": user, "submitted_us": self._now_us()}
        try:
            with self._database.write() as connection:
                exchange = _find_exchange(connection, exchange_id)
                if connection.scalar(select(_feedback.id).where(_feedback.exchange_id == exchange.id)) is not None:
                    raise AlreadyRatedError(f"exchange {exchange_id} is rated already")
                result = connection.execute(insert(FeedbackRow.__table__).values(exchange_id=exchange.id, **values))
                assert result.inserted_primary_key is not None
                feedback_id = result.inserted_primary_key[0]
                _copy_to_exchange(connection, exchange.id, rating, text)
                add_to_sources(connection, exchange.id)
                return _read_one(connection, _feedback.id == feedback_id)
        except IntegrityError as error:
            raise AlreadyRatedError(f"exchange {exchange_id} is rated already") from error

    def update(self, feedback_id: int, rating: float | Keep = KEEP, feedback_text: str | Keep | None = KEEP) -> Feedback:
        """Change a rating or its comment (`None` removes the comment).

        Raises:
            InvalidFeedbackError: A value is out of bounds.
            NoSuchFeedbackError: There is no such rating.
        """
        with self._database.write() as connection:
            row = _find_feedback(connection, feedback_id)
            new_rating = row.rating if isinstance(rating, Keep) else rating
            _check(new_rating, None if isinstance(feedback_text, Keep) else feedback_text)
            new_text = row.feedback_text if isinstance(feedback_text, Keep) else self._redacted(feedback_text)
            take_from_sources(connection, row.exchange_id)
            connection.execute(
                update(FeedbackRow.__table__)
                .where(_feedback.id == feedback_id)
                .values(rating=new_rating, feedback_text=new_text, updated_us=self._now_us())
            )
            _copy_to_exchange(connection, row.exchange_id, new_rating, new_text)
            add_to_sources(connection, row.exchange_id)
            return _read_one(connection, _feedback.id == feedback_id)

    def remove(self, feedback_id: int) -> None:
        """Remove a rating, and what it counted for.

        Raises:
            NoSuchFeedbackError: There is no such rating.
        """
        with self._database.write() as connection:
            row = _find_feedback(connection, feedback_id)
            take_from_sources(connection, row.exchange_id)
            connection.execute(delete(FeedbackRow.__table__).where(_feedback.id == feedback_id))
            _copy_to_exchange(connection, row.exchange_id, None, None)

    def get(self, feedback_id: int) -> Feedback:
        """Return one rating.

        Raises:
            NoSuchFeedbackError: There is no such rating.
        """
        with self._database.read() as connection:
            return _read_one(connection, _feedback.id == feedback_id)

    def of_exchange(self, exchange_id: str) -> Feedback | None:
        """Return the rating of an exchange; `None` when it has none (or there is no such exchange)."""
        with self._database.read() as connection:
            found = _read(connection, _select_feedback().where(_exchange.exchange_id == exchange_id))
        return found[0] if found else None

    def page(self, wanted: FeedbackQuery, *, limit: int = 100, offset: int = 0) -> tuple[Feedback, ...]:
        """Return ratings, the newest first."""
        query = _select_feedback().where(*_clauses(wanted)).order_by(_feedback.submitted_us.desc(), _feedback.id.desc())
        with self._database.read() as connection:
            return _read(connection, query.limit(limit).offset(offset))

    def count(self, wanted: FeedbackQuery) -> int:
        """Return how many ratings there are."""
        query = select(func.count()).select_from(FeedbackRow.__table__).where(*_clauses(wanted))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def _redacted(self, text: str | None) -> str | None:
        """Replace secrets; a mark may be longer than what it stands for, the limit holds for both."""
        return self._redactor.text(text)[:MAX_TEXT_LENGTH] if text else None


def _check(rating: float, feedback_text: str | None) -> None:
    if not -1.0 <= rating <= 1.0:
        raise InvalidFeedbackError("a rating is between -1.0 and 1.0")
    if feedback_text is not None and len(feedback_text) > MAX_TEXT_LENGTH:
        raise InvalidFeedbackError(f"a comment is at most {MAX_TEXT_LENGTH} characters long")


def _find_exchange(connection: Connection, exchange_id: str) -> Row[*tuple[Any, ...]]:
    row = connection.execute(select(_exchange.id).where(_exchange.exchange_id == exchange_id)).one_or_none()
    if row is None:
        raise NoSuchExchangeError(f"there is no exchange {exchange_id}")
    return row


def _find_feedback(connection: Connection, feedback_id: int) -> Row[*tuple[Any, ...]]:
    row = connection.execute(select(FeedbackRow.__table__).where(_feedback.id == feedback_id)).one_or_none()
    if row is None:
        raise NoSuchFeedbackError(f"there is no rating {feedback_id}")
    return row


def _copy_to_exchange(connection: Connection, exchange: int, rating: float | None, text: str | None) -> None:
    connection.execute(update(ExchangeRow.__table__).where(_exchange.id == exchange).values(rating=rating, has_note=bool(text)))


def _select_feedback() -> Select[*tuple[Any, ...]]:
    return select(
        _feedback.id,
        _feedback.exchange_id.label("exchange"),
        _exchange.exchange_id,
        _feedback.rating,
        _feedback.feedback_text,
        _feedback.user_id,
        _feedback.submitted_us,
        _feedback.updated_us,
    ).join(ExchangeRow.__table__, _exchange.id == _feedback.exchange_id)


def _clauses(wanted: FeedbackQuery) -> Sequence[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = [true(), wanted.submitted.holds(_feedback.submitted_us)]
    if wanted.min_rating is not None:
        clauses.append(_feedback.rating >= wanted.min_rating)
    if wanted.max_rating is not None:
        clauses.append(_feedback.rating <= wanted.max_rating)
    if wanted.user_id is not None:
        clauses.append(_feedback.user_id == wanted.user_id)
    return clauses


def _read_one(connection: Connection, where: ColumnElement[bool]) -> Feedback:
    found = _read(connection, _select_feedback().where(where))
    if not found:
        raise NoSuchFeedbackError("there is no such rating")
    return found[0]


def _read(connection: Connection, query: Select[*tuple[Any, ...]]) -> tuple[Feedback, ...]:
    rows = connection.execute(query).all()
    names: dict[int, list[str]] = {row.exchange: [] for row in rows}
    sources = (
        select(_use.exchange_id, _source.source_name, _source.source_type)
        .join(SourceRow.__table__, _source.id == _use.source_id)
        .where(_use.exchange_id.in_(list(names)))
        .order_by(_source.source_type, _source.source_name)
    )
    for exchange, name, kind in connection.execute(sources) if names else ():
        names[exchange].append(name or kind)
    return tuple(
        Feedback(
            feedback_id=row.id,
            exchange_id=row.exchange_id,
            rating=row.rating,
            feedback_text=row.feedback_text,
            user_id=row.user_id,
            submitted_us=row.submitted_us,
            updated_us=row.updated_us,
            affected_sources=tuple(names[row.exchange]),
        )
        for row in rows
    )
