"""Texts of segments come back from the body by pointer and span."""

import json

from proxy_core.attribution.rebuild import segment_text, segment_texts
from tests.prompts import assistant, read, use, user

BODY = json.dumps({"messages": [user("héllo \ud800"), assistant(use("x", path="/é"))], "a/b~c": {"d": 1}}).encode()


def test_every_segment_comes_back() -> None:
    parsed = read(BODY)
    texts = segment_texts(BODY, [(segment.pointer, segment.start, segment.end) for segment in parsed.segments])
    assert [segment.text for segment in parsed.segments] == list(texts)
    assert "héllo \ufffd" in [segment.text for segment in parsed.segments]


def test_single_pieces() -> None:
    assert segment_text(BODY, "/messages/0/content/0/text", 1, 3) == "él"
    assert list(segment_texts(BODY, [("/a~1b~0c", 0, 1), ("/a~1b~0c", 1, 4)])) == ["{", '"d"']
    assert segment_text(BODY, "/messages/1/content/0/input", 0, 99) == '{"path":"/é"}'
    assert segment_text(BODY, "/a~1b~0c", 0, 99) == '{"d":1}'


def test_places_that_do_not_exist_are_empty() -> None:
    for pointer in ("/nothing", "/messages/7", "/messages/x", "/messages/0/content/0/text/deeper"):
        assert segment_text(BODY, pointer, 0, 9) == ""


def test_a_body_that_is_no_json() -> None:
    assert segment_text(b"\xffplain", "", 0, 4) == "\ufffdpla"
