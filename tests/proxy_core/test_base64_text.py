import base64

import pytest

from proxy_core.redact import Redactor

KEY = b"sk-ant-api03-AbC_d-0123456789"
REDACTOR = Redactor(b"a key of the tests")


@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("longer", range(4))
@pytest.mark.parametrize("after", [b"", b"\n", b" tail", b"\xff\xfe\xfb and more of it"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_inside_base64_goes_and_the_rest_stays(before: int, longer: int, after: bytes, encode: object) -> None:
    assert callable(encode)
    key = KEY + b"x" * longer
    plain = b"\xfb" * before + key + after
    body = b'{"data": "' + encode(plain) + b'", "x": 1}'
    redacted = REDACTOR.body(body)
    value = redacted.split(b'"')[3]
    decoded = base64.b64decode(value.replace(b"-", b"+").replace(b"_", b"/"), validate=True)
    assert KEY not in decoded
    assert decoded.startswith(b"\xfb" * before + b"[REDACTED:" + REDACTOR.fingerprint(key).encode() + b"]")
    assert decoded.endswith(after)
    assert redacted.endswith(b'", "x": 1}')


@pytest.mark.parametrize("text", [b"c2stYW50L", b"zay1hbnQt", b"xNrLWFudC", b"c2stYW50LSE="])
def test_what_only_looks_like_it_stays(text: bytes) -> None:
    assert REDACTOR.body(text) is text
