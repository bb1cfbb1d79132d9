import json

from proxy_core.redact import Redactor
from proxy_core.redacting import BodyRedaction, content_type_of

KEY = b"sk-ant-api03-AbC_d-0123456789"
REDACTOR = Redactor(b"a key of the tests")
SPLIT = b"".join(b'event: x\ndata: {"index":0,"delta":{"text":"%s"}}\n\n' % piece for piece in (KEY[:9], KEY[9:], b" end"))


def grown(redaction: BodyRedaction, body: bytes, size: int = 10) -> tuple[bytes, bool]:
    growing = redaction.growing()
    out = b"".join(growing.feed(body[at : at + size]) for at in range(0, len(body), size)) + growing.finish()
    assert not growing.is_withheld
    return out, growing.is_redacted


def test_a_stream_whole_and_grown() -> None:
    redaction = BodyRedaction(REDACTOR, "https://api.anthropic.com/v1/messages", "text/event-stream; charset=utf-8")
    whole = redaction.whole(SPLIT)
    assert KEY[9:] not in whole
    assert grown(redaction, SPLIT) == (whole, True)
    clean = SPLIT.replace(KEY[:9], b"words")
    assert redaction.whole(clean) is clean


def test_a_stream_that_does_not_say_so() -> None:
    assert KEY[9:] not in BodyRedaction(REDACTOR).whole(SPLIT)


def test_a_prompt_and_a_sign_in() -> None:
    body = json.dumps({"access_token": "PLANTED"}).encode()
    assert BodyRedaction(REDACTOR, "https://api.anthropic.com/v1/messages").whole(body) is body
    sign_in = BodyRedaction(REDACTOR, "https://api.anthropic.com/v1/oauth/token", "application/json")
    assert b"PLANTED" not in sign_in.whole(body)
    assert grown(sign_in, body) == (sign_in.whole(body), True)
    assert grown(sign_in, b"{}") == (b"{}", False)
    assert b"PLANTED" not in BodyRedaction(REDACTOR, "https://[broken/oauth/token").whole(body)


def test_a_large_sign_in_leaves_memory() -> None:
    sign_in = BodyRedaction(REDACTOR, "https://api.anthropic.com/api/oauth/x")
    body = b'{"access_token":"PLANTED"}' + b"x" * 3_000_000 + KEY
    out, is_redacted = grown(sign_in, body, 100_000)
    assert is_redacted
    assert b"PLANTED" not in out
    assert KEY not in out


def test_the_content_type_of_a_message() -> None:
    assert content_type_of([(b"Accept", b"*/*"), (b"Content-Type", b"text/plain")]) == "text/plain"
    assert content_type_of([]) == ""
