"""A document read value by value is the document read whole, wherever its pieces end; what is too large or none is said."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.importing import json_stream
from storage.importing.json_stream import JsonReader, ValueTooLargeError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Dripping(io.StringIO):
    """Gives few characters at a time, however many are asked for."""

    def __init__(self, text, size):
        super().__init__(text)
        self._size = size

    def read(self, _size=-1):
        return super().read(self._size)


def reader(text, size=7, limit=1000):
    return JsonReader(Dripping(text, size), limit)


@given(VALUES, st.integers(1, 9), st.booleans(), st.sampled_from([None, 1]))
def test_a_value_is_what_it_is_read_whole(value, size, is_ascii, indent):
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    assert reader(text, size, limit=10**6).value() == value
    assert list(reader(f"[{text}, {text}]", size, limit=10**6).items()) == [value, value]


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.integers(1, 9))
def test_an_object_is_walked_through(document, size):
    walked = reader(json.dumps(document), size, limit=10**6)
    assert {name: walked.value() for name in walked.names()} == document


@pytest.mark.parametrize("text", ["[]", "[ ]", "[1]", " [ 1 , 2 ] rubbish behind"])
def test_arrays(text):
    assert list(reader(text, 1).items()) == [number for number in (1, 2) if str(number) in text]


def test_numbers_that_go_on_in_the_next_piece():
    assert list(reader("[12345, -0.5e3, 12]", 2).items()) == [12345, -500.0, 12]
    assert reader("12345", 2).value() == 12345


@pytest.mark.parametrize("text", ["", " ", "[", "[1", "[1 2]", "[1,]", "[,", "{", "[tru", '["ab', '["\\u12', "[nul]", "[1}"])
def test_what_is_no_array_is_said(text):
    with pytest.raises(ValueError):  # noqa: PT011 - any
        list(reader(text, 3).items())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a"', '{"a" 1}', "{1: 2}", '{"a": 1', '{"a": 1 "b": 2}', '{"a": 1,}', "{]"])
def test_what_is_no_object_is_said(text):
    walked = reader(text, 3)
    with pytest.raises(ValueError):  # noqa: PT011 - any
        [walked.value() for _ in walked.names()]


def test_damage_is_said_without_reading_on():
    class Endless(io.StringIO):
        reads = 0

        def read(self, _size=-1):
            self.reads += 1
            return '{"a": nonsense, "b": 1' + " " * 100

    file = Endless()
    with pytest.raises(json.JSONDecodeError):
        JsonReader(file, 10**9).value()
    assert file.reads == 1


def test_a_value_that_is_too_large_is_said_and_what_came_before_is_taken():
    found = []
    with pytest.raises(ValueTooLargeError, match="larger than"):
        found.extend(reader(json.dumps([1, "x" * 3000]), 100, limit=1000).items())
    assert found == [1]


def test_a_large_value_is_not_parsed_for_each_piece(monkeypatch):
    asked = []

    class Counting(io.StringIO):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    monkeypatch.setattr(json_stream, "_CHUNK_CHARS", 10)
    assert JsonReader(Counting(json.dumps("x" * 100_000)), 10**6).value() == "x" * 100_000
    assert len(asked) < 20
