import pytest

from storage.segment_texts import with_texts
from tests import factories


@pytest.mark.parametrize(
    ("body", "pointer", "start", "end", "text"),
    [
        (b'{"a":"hello world"}', "/a", 6, 11, "world"),
        (b'{"a":{"b":[1, 2]}}', "/a", 0, 11, '{"b":[1,2]}'),
        (b'{"a~b/c":"x"}', "/a~0b~1c", 0, 1, "x"),
        (b"no json at all", "", 3, 7, "json"),
        (b'{"a":"x"}', "/b", 0, 1, ""),
        (b'{"a":"\\ud800x"}', "/a", 0, 2, "\ufffdx"),
        ('{"a":"żółw"}'.encode(), "/a", 1, 3, "ół"),
    ],
)
def test_texts_are_cut_out_of_the_body_again(body, pointer, start, end, text):
    segment = factories.segment("", pointer=pointer, start=start, end=end)
    assert with_texts([segment], body)[0].text == text


def test_what_has_no_text_gets_none():
    segments = [factories.segment("", pointer="/a", start=0, end=1), factories.segment("", pointer="/a", start=1, end=1)]
    assert [segment.text for segment in with_texts(segments, b'{"a":"xyz"}', textless=[0])] == ["", ""]
