import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.calibration import Piece, calibrate, spread_of

PIECES = st.builds(
    Piece,
    estimate=st.floats(0, 1e6) | st.just(0.0),
    variance=st.floats(0, 1e9) | st.just(0.0),
    is_text=st.booleans(),
)


@given(st.lists(PIECES, max_size=20), st.integers(0, 10**7), st.sampled_from([0.0, 0.001, 0.2]))
def test_the_sum_is_the_target_and_nothing_is_negative(pieces: list[Piece], target: int, error: float) -> None:
    tokens = calibrate(pieces, target, error)

    if tokens is None:
        assert target > 0
        assert not any(piece.estimate > 0 or piece.variance > 0 for piece in pieces)
    else:
        assert sum(tokens) == target
        assert all(size >= 0 for size in tokens)


def test_nothing_can_hold_a_token() -> None:
    assert calibrate([Piece(0.0, 0.0)], 5, 0.1) is None
    assert calibrate([Piece(0.0, 0.0)], 0, 0.1) == [0]
    assert calibrate([], 0, 0.1) == []


def test_an_unsure_overhead_takes_what_sure_texts_do_not() -> None:
    pieces = [Piece(300.0, 150.0**2), Piece(1000.0, 1.0, is_text=True), Piece(500.0, 1.0, is_text=True)]

    assert calibrate(pieces, 2000, 0.001) == [500, 1000, 500]


def test_a_shared_error_scales_all_texts_alike() -> None:
    pieces = [Piece(1000.0, 0.0, is_text=True), Piece(500.0, 0.0, is_text=True)]

    assert calibrate(pieces, 1800, 0.2) == [1200, 600]


def test_certain_pieces_scale_when_nothing_else_can_give() -> None:
    assert calibrate([Piece(6.0, 0.0), Piece(2.0, 0.0)], 16, 0.0) == [12, 4]


def test_a_piece_stops_at_nothing_and_the_rest_moves_on() -> None:
    pieces = [Piece(100.0, 10_000.0), Piece(1000.0, 100.0, is_text=True)]

    assert calibrate(pieces, 700, 0.001) == [0, 700]


def test_spread_counts_the_shared_error_once() -> None:
    assert spread_of([Piece(100.0, 9.0, is_text=True), Piece(50.0, 16.0)], 0.0) == pytest.approx(5.0)
    assert spread_of([Piece(100.0, 0.0, is_text=True), Piece(100.0, 0.0, is_text=True)], 0.1) == pytest.approx(20.0)
