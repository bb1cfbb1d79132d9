import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import compression
from storage.compression import pack, unpack
from storage.errors import BodyCorruptError


@given(st.binary(max_size=500), st.none() | st.binary(min_size=1, max_size=500))
def test_anything_comes_back(raw, base):
    assert unpack(pack(raw, base), base) == raw


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 10**6])
def test_all_sizes_come_back(size):
    raw = b"abc" * size
    assert unpack(pack(raw)) == raw


def test_incompressible_bytes_grow_by_one():
    raw = bytes(range(256))
    assert len(pack(raw)) == len(raw) + 1


def test_what_looks_like_the_base_is_small():
    base = bytes(range(256)) * 2
    assert len(pack(base + b"and more", base)) < 40


@pytest.mark.parametrize("damaged", [b"\x07abc", b"\x01abc", b"\x28\xb5\x2f\xfdabc"])
def test_damage_is_an_error_of_ours(damaged):
    with pytest.raises(BodyCorruptError):
        unpack(damaged)


def test_the_common_dictionary_is_never_changed():
    import hashlib

    assert hashlib.sha256(compression.COMMON_1).hexdigest() == DIGEST


DIGEST = "8d6268e3ca7ee9625d6105dcdcb0392f99e961b7e4caaba27473f197d4cb570f"
