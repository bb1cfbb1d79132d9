"""Pieces compressed against earlier bytes of their conversation: they come back, also after a restart and a sweep."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from benchmarks.storing import prose
from storage import grounds, models
from storage.compression import Ground, prepare
from storage.errors import BodyCorruptError
from storage.grounds import GroundedPieces
from storage.pieces import LOOSE, PieceCache, PieceWriter, hash_piece, read_pieces
from storage.sweeping import sweep
from tests import factories
from tests.storage.recorded_traffic import conversation, store

LOOSE_PIECES = models.LoosePieceRow.__table__
PIECES = models.PieceRow.__table__
chance = random.Random(3)
START = [prose(chance, 4000).encode() for _ in range(4)]
TURN = [prose(chance, 900).encode()]


def save(database, row_id, contents, grounded=None, writer=None):
    writer = writer or PieceWriter()
    grounded = grounded or GroundedPieces(writer)
    with database.write() as connection:
        if writer.begin(connection):
            grounded.forget()
        return grounded.store(connection, row_id, [(hash_piece(content), content) for content in contents])


def rows_of(database, ids):
    with database.read() as connection:
        return connection.execute(select(PIECES).where(PIECES.c.id.in_(ids))).all()


def loose_of(database):
    with database.read() as connection:
        return {row.id: row.packed for row in connection.execute(select(LOOSE_PIECES))}


def contents_of(database, ids, cache=None):
    with database.read() as connection:
        found = read_pieces(connection, ids, cache)
    return [found[number] for number in ids]


def test_a_first_request_makes_a_ground_of_all_that_it_brings(database):
    ids = save(database, 1, START)
    rows = rows_of(database, ids)
    assert len({row.ground_id for row in rows}) == 1
    assert [row.start for row in rows] == [0, 4000, 8000, 12000]
    assert all(row.packed is None for row in rows)
    assert contents_of(database, ids) == START


def test_what_comes_later_is_smaller_against_it(database):
    alone = rows_of(database, save(database, 1, TURN))[0]
    with database.write() as connection:
        connection.execute(PIECES.delete())
    save(database, 1, START)
    (against,) = rows_of(database, save(database, 2, [*START, *TURN])[-1:])
    assert against.ground_id is not None
    assert against.start == LOOSE
    assert len(loose_of(database)[against.id]) < 0.9 * len(alone.packed)


def test_a_ground_is_found_again_after_a_restart(database):
    first = rows_of(database, save(database, 1, START))
    later = rows_of(database, save(database, 2, [*START, *TURN])[-1:])
    assert later[0].ground_id == first[0].ground_id
    assert contents_of(database, [later[0].id], PieceCache()) == TURN


def test_an_answer_has_the_ground_of_its_request(database):
    writer = PieceWriter()
    grounded = GroundedPieces(writer)
    first = rows_of(database, save(database, 1, START, grounded, writer))
    answer = rows_of(database, save(database, 1, TURN, grounded, writer))
    assert answer[0].ground_id == first[0].ground_id
    other = rows_of(database, save(database, 2, [b"of another exchange " * 10], grounded, writer))
    assert other[0].ground_id is None


def test_little_makes_no_ground(database):
    assert rows_of(database, save(database, 1, TURN))[0].ground_id is None


def test_a_single_long_piece_is_a_ground_itself(database):
    first = save(database, 1, [b"".join(START)])
    (row,) = rows_of(database, first)
    assert row.ground_id is None
    later = rows_of(database, save(database, 2, [b"".join(START), *TURN])[-1:])
    assert later[0].ground_id == row.id


def test_much_that_is_new_makes_another(database):
    first = rows_of(database, save(database, 1, START))
    more = [prose(chance, 9000).encode() for _ in range(4)]
    later = rows_of(database, save(database, 2, [*START, *more])[-4:])
    assert {row.ground_id for row in later}.isdisjoint({first[0].ground_id, None})
    assert contents_of(database, [row.id for row in later]) == more


def test_runs_longer_than_a_ground_stand_alone(database):
    long = bytes(range(256)) * 300
    ids = save(database, 1, [*START, long])
    assert rows_of(database, ids[-1:])[0].ground_id is None
    assert contents_of(database, ids) == [*START, long]


def test_what_gathers_becomes_the_next_ground(database):
    writer = PieceWriter()
    grounded = GroundedPieces(writer)
    history = list(START)
    seen = set()
    for turn in range(70):
        history.append(prose(chance, 1200).encode())
        ids = save(database, turn + 1, history, grounded, writer)
        rows = rows_of(database, ids)
        seen |= {row.ground_id for row in rows}
        assert contents_of(database, ids) == history
    assert len(seen) == 2
    moved = [row for row in rows if row.ground_id == max(seen) and row.start != LOOSE]
    assert len(moved) >= 40
    assert not {row.id for row in moved} & set(loose_of(database))
    assert contents_of(database, ids, PieceCache()) == history


def stream_of(text):
    events = (
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text[start : start + 5]}}
        for start in range(0, len(text), 5)
    )
    return factories.sse(list(events))


def test_streams_are_packed_anew_against_the_ground_that_has_their_words(database):
    writer = PieceWriter()
    grounded = GroundedPieces(writer)
    history, streams, sizes = list(START), {}, {}
    for turn in range(1, 40):
        answer = prose(chance, 1200)
        ids = save(database, turn, history, grounded, writer)
        assert contents_of(database, ids) == history
        (number,) = save(database, turn, [stream_of(answer)], grounded, writer)
        sizes[number] = len(loose_of(database)[number])
        streams[number] = stream_of(answer)
        history += [answer.encode(), prose(chance, 1500).encode()]
    assert contents_of(database, list(streams)) == list(streams.values())
    rows, loose = rows_of(database, list(streams)), loose_of(database)
    assert {row.start for row in rows} == {LOOSE}
    assert len({row.ground_id for row in rows}) > 1
    first = rows[0]
    assert len(loose[first.id]) < 0.6 * sizes[first.id]


def test_streams_that_are_too_much_to_hold_stay_with_their_ground(database, monkeypatch):
    monkeypatch.setattr(grounds, "_LOOSE_BYTES", 3000)
    writer = PieceWriter()
    grounded = GroundedPieces(writer)
    history, ids = list(START), []
    for turn in range(1, 50):
        save(database, turn, history, grounded, writer)
        ids += save(database, turn, [stream_of(prose(chance, 1200))], grounded, writer)
        history.append(prose(chance, 1500).encode())
    assert len({row.ground_id for row in rows_of(database, ids[:10])}) == 2


def test_many_conversations_keep_apart(database):
    writer = PieceWriter()
    grounded = GroundedPieces(writer)
    kept = {}
    for number in range(12):
        contents = [prose(chance, 2500).encode() for _ in range(2)]
        kept[number] = contents
        save(database, number, contents, grounded, writer)
    for turn in range(3):
        for number, contents in kept.items():
            contents.append(f"turn {turn} of {number} ".encode() * 9)
            ids = save(database, 100 + number, contents, grounded, writer)
            assert contents_of(database, ids) == contents


def test_a_sweep_leaves_the_grounds_of_what_it_leaves(database):
    store(database, *conversation(6))
    before = rows_of(database, [row.id for row in _all(database)])
    assert sweep(database) == 0
    assert rows_of(database, [row.id for row in before])


def test_a_sweep_deletes_a_ground_with_its_last_piece(database):
    save(database, 1, START)
    assert _count(database) == 5
    assert sweep(database) == 5
    assert _count(database) == 0


def test_a_piece_used_again_during_a_sweep_keeps_its_ground(database):
    store(database, *conversation(1))
    ids = save(database, 1, START)
    writer = PieceWriter()
    used = False

    def use() -> bool:
        nonlocal used
        if not used:
            used = True
            assert save(database, 2, START[:1], writer=writer) == ids[:1]
        return False

    sweep(database, use)
    assert used
    assert contents_of(database, ids[:1]) == START[:1]


def test_a_missing_ground_is_told(database):
    ids = save(database, 1, START)
    with database.write() as connection:
        connection.execute(PIECES.delete().where(PIECES.c.id == rows_of(database, ids)[0].ground_id))
    with pytest.raises(BodyCorruptError, match="missing"):
        contents_of(database, ids)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.binary(max_size=300))
def test_anything_comes_back(contents, raw):
    ground = Ground(raw)
    for content in contents:
        assert Ground(raw).unpack(ground.pack(prepare(content))) == content


def test_damage_is_an_error_of_ours():
    with pytest.raises(BodyCorruptError):
        Ground(b"ground").unpack(b"\x02damaged")


def _all(database):
    with database.read() as connection:
        return connection.execute(select(PIECES.c.id)).all()


def _count(database):
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(PIECES)).scalar()
