import time

from proxy_core.clock import new_exchange_id, now_us, wall_to_us


def test_the_clock_tells_the_time_and_never_goes_back() -> None:
    readings = [now_us() for _ in range(100)]
    assert readings == sorted(readings)
    assert abs(readings[0] - time.time_ns() // 1000) < 5_000_000


def test_a_wall_clock_reading_is_moved_onto_it() -> None:
    assert wall_to_us(None) is None
    ago = wall_to_us(time.time() - 10)
    assert ago is not None
    assert 9_000_000 < now_us() - ago < 11_000_000


def test_a_reading_that_cannot_be_true_becomes_now(monkeypatch) -> None:
    stamp = time.time()
    monkeypatch.setattr(time, "time", lambda: stamp - 3600)  # somebody set the clock back in between
    read = wall_to_us(stamp)
    assert read is not None
    assert abs(now_us() - read) < 5_000_000


def test_ids_sort_by_time_and_are_uuids_of_version_7() -> None:
    ids = [new_exchange_id(1_700_000_000_000_000 + step) for step in range(0, 5000, 7)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(text) == 32 and text[12] == "7" and text[16] in "89ab" for text in ids)
