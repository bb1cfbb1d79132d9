"""What comes over the wire may be anything: it is decoded, redacted and recorded without an error, and no key gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.decoding import BodyDecoder, decode_body
from proxy_core.redact import Redactor
from proxy_core.streamed_secrets import EventStreamRedactor, StreamRedactor
from tests.fuzz.hostile import KEY, REQUEST, SEARCH, STREAM, STREAM_PARTS, encoded, split, spoilt

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
REDACTOR = Redactor(b"a key of the tests")
SIZES = st.lists(st.integers(0, 40), max_size=20)
BODIES = [body for data in (REQUEST, b"a" * 5000) for body in encoded(data).values()]


@SEARCH
@given(spoilt(REQUEST, STREAM, b""), st.integers(0, 5000))
def test_a_key_anywhere_in_a_body_is_replaced(body, place):
    at = place % (len(body) + 1)
    redacted = REDACTOR.body(body[:at] + b" " + KEY + b" " + body[at:])
    assert KEY not in redacted
    assert KEY not in REDACTOR.body(redacted)


@SEARCH
@given(spoilt(b"https://u:p@api.anthropic.com/v1/messages?beta=true&api_key=abcdefgh#x", b"x://["), st.binary(max_size=30))
def test_addresses_messages_and_headers_are_redacted_without_an_error(url, value):
    text = url.decode("utf-8", "surrogateescape")
    assert KEY.decode() not in REDACTOR.url(text)
    assert KEY.decode() not in REDACTOR.text(text)
    assert "planted" not in repr(REDACTOR.headers([(b"X-Api-Key", b"planted" + value), (b"x", url)]))


@SEARCH
@given(spoilt(REQUEST, STREAM), SIZES, st.sampled_from([StreamRedactor, EventStreamRedactor]))
def test_a_stream_shows_no_key_however_it_is_split(data, sizes, kind):
    redactor = kind(REDACTOR)
    shown = b"".join(redactor.feed(piece) for piece in split(data + b" " + KEY + b" \n\n", sizes)) + redactor.finish()
    assert KEY not in shown


@SEARCH
@given(st.lists(st.sampled_from(STREAM_PARTS), max_size=12), SIZES)
def test_a_stream_without_secrets_stays_as_it_is(parts, sizes):
    redactor, data = EventStreamRedactor(REDACTOR), b"".join(parts)
    assert b"".join(redactor.feed(piece) for piece in split(data, sizes)) + redactor.finish() == data


@SEARCH
@given(spoilt(*BODIES), st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br", "compress", "", "x" * 50]))
def test_broken_encodings_are_decoded_as_far_as_they_go(body, encoding):
    assert len(decode_body(body, encoding, limit_bytes=4000).data) <= max(4000, len(body))


@SEARCH
@given(spoilt(*BODIES), SIZES, st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_decoding_piece_by_piece_raises_nothing(body, sizes, encoding):
    decoder = BodyDecoder(encoding)
    shown = b"".join(decoder.feed(piece) for piece in split(body, sizes))
    assert isinstance(shown, bytes)
