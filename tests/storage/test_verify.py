import pytest
from sqlalchemy import select

from storage import models
from storage.compression import pack
from storage.verify import verify_database
from tests.storage.recorded_traffic import conversation, store_and_analyse


@pytest.fixture
def filled(database):
    store_and_analyse(database, *conversation(5))
    return database


def change(database, statement):
    with database.write() as connection:
        connection.execute(statement)


def largest_piece(database):
    pieces = models.PieceRow.__table__
    with database.read() as connection:
        return connection.execute(select(pieces.c.id, pieces.c.raw_bytes).order_by(pieces.c.raw_bytes.desc())).first()


def test_a_sound_database_is_proved_whole(filled):
    seen = []
    report = verify_database(filled, lambda *done: seen.append(done))
    assert report.is_sound
    assert (report.exchanges, report.proved, report.redacted, report.dropped) == (5, 10, 0, 0)
    assert report.checked_bytes > 10_000
    assert seen == [(5, 5)]


def test_a_changed_byte_is_found(filled):
    piece = largest_piece(filled)
    pieces = models.PieceRow.__table__
    change(filled, pieces.update().where(pieces.c.id == piece.id).values(packed=pack(b"x" * piece.raw_bytes)))
    report = verify_database(filled)
    assert len(report.problems) == 5
    assert "SHA-256" in report.problems[0].what


@pytest.mark.parametrize(("packed", "says"), [(pack(b"short"), "instead of"), (b"\x01damaged", "decompressed")])
def test_a_damaged_piece_is_found(filled, packed, says):
    pieces = models.PieceRow.__table__
    change(filled, pieces.update().where(pieces.c.id == largest_piece(filled).id).values(packed=packed))
    assert says in verify_database(filled).problems[0].what


def test_a_missing_piece_is_found(filled):
    pieces = models.PieceRow.__table__
    change(filled, pieces.delete().where(pieces.c.id == largest_piece(filled).id))
    assert any("missing" in problem.what for problem in verify_database(filled).problems)


@pytest.mark.parametrize("row", [models.ExchangeHeadRow, models.AttributionRow])
def test_damage_beside_the_bodies_is_found(filled, row):
    change(filled, row.__table__.update().values(packed=pack(b"\xc1")))
    report = verify_database(filled)
    assert len(report.problems) == 5
    assert "cannot be read" in report.problems[0].what
