import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import manifests
from storage.compression import pack
from storage.errors import BodyCorruptError

IDS = st.integers(1, 10**9)
INSERTS = st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=20)), max_size=3).map(tuple)
ENTRIES = st.lists(st.just(b",") | st.binary(min_size=1, max_size=10) | st.tuples(IDS, INSERTS), max_size=30)


@given(ENTRIES)
def test_a_recipe_comes_back(entries):
    joined = manifests.decode(manifests.encode(entries))
    assert joined == entries


def test_a_conversation_takes_little():
    entries = [part for number in range(1000, 1400, 2) for part in ((number, ()), b",")][:-1]
    assert len(manifests.encode(entries)) < 60
    assert manifests.piece_ids(manifests.decode(manifests.encode(entries))) == list(range(1000, 1400, 2))


@pytest.mark.parametrize(
    "damaged", [b"", b"\x00\xff", pack(b"\x91\xc3"), pack(b"\x01"), b"\x28\xb5\x2f\xfdxx", pack(b"\x91\x91\x92\x01\x02")]
)
def test_damage_is_an_error_of_ours(damaged):
    with pytest.raises(BodyCorruptError):
        manifests.decode(damaged)
