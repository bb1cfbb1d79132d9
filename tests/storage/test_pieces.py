"""Pieces: stored once, found by hash, damage told."""

import pytest
from sqlalchemy import func, select

from storage import models
from storage.errors import BodyCorruptError
from storage.pieces import PieceCache, PieceWriter, read_pieces

PIECES = models.PieceRow.__table__


def save(database, contents, writer=None):
    writer = writer or PieceWriter()
    with database.write() as connection:
        writer.begin(connection)
        return writer.store(connection, contents)


def test_the_same_content_is_stored_once(database):
    first = save(database, [b"a" * 100, b"b" * 100, b"a" * 100])
    assert first[0] == first[2] != first[1]
    assert save(database, [b"b" * 100]) == [first[1]]
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(PIECES)).scalar() == 2
        assert read_pieces(connection, first) == {first[0]: b"a" * 100, first[1]: b"b" * 100}


def test_what_was_rolled_back_is_stored_again(database):
    writer = PieceWriter()
    with database.write() as connection:
        writer.begin(connection)
        writer.store(connection, [b"x" * 90])
        connection.rollback()
    writer.forget()
    (number,) = save(database, [b"x" * 90], writer)
    with database.read() as connection:
        assert read_pieces(connection, [number])[number] == b"x" * 90


def test_few_are_remembered_and_all_are_found(database):
    writer = PieceWriter(remembered=2)
    contents = [bytes([number]) * 80 for number in range(9)]
    ids = save(database, contents, writer)
    assert save(database, contents, writer) == ids


def test_a_missing_piece_is_told(database):
    with database.read() as connection, pytest.raises(BodyCorruptError, match="piece 77 is missing"):
        read_pieces(connection, [77])


def test_a_piece_of_another_length_is_told(database):
    (number,) = save(database, [b"y" * 70])
    with database.write() as connection:
        connection.execute(PIECES.update().values(raw_bytes=71))
    with database.read() as connection, pytest.raises(BodyCorruptError, match="70 bytes instead of 71"):
        read_pieces(connection, [number])


def test_the_cache_lets_go_of_the_oldest():
    cache = PieceCache(limit_bytes=10)
    for number in range(4):
        cache.put(number, b"12345")
    assert [cache.get(number) for number in range(4)] == [None, None, b"12345", b"12345"]
