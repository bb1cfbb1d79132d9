import json
from urllib.parse import urlencode

import pytest

from proxy_core.credentials import secret_members
from proxy_core.redact import Redactor

REDACTOR = Redactor(b"a key of the tests")
GRANT = {"access_token": "PLANTED-1", "refresh_token": "PLANTED-2", "client_secret": "PLANTED-3", "code": "PLANTED-4#x"}


@pytest.mark.parametrize(
    "path", ["/v1/oauth/token", "/api/oauth/claude_cli/create_api_key", "/api/auth/login?x=1", "/oauth/token"]
)
def test_what_signs_in_is_redacted_in_json_and_forms(path: str) -> None:
    members = secret_members(path)
    nested = json.dumps({"body": json.dumps(GRANT)})
    multipart = (
        "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in GRANT.items()) + "--b--\r\n"
    )
    for body in (json.dumps(GRANT), json.dumps(GRANT, indent=2), urlencode(GRANT), nested, multipart):
        redacted = REDACTOR.body(body.encode(), members)
        assert b"PLANTED" not in redacted
        assert redacted.count(b"[REDACTED:") == 4
        assert REDACTOR.body(redacted, members) == redacted
    kept = b'{"expires_in": 28800, "token_type": "Bearer", "scope": "user:inference"}'
    assert REDACTOR.body(kept, members) is kept


def test_prompts_may_speak_of_tokens() -> None:
    body = json.dumps(GRANT).encode()
    for path in ("/v1/messages", "/v1/messages/count_tokens?beta=true", "/model/x/invoke", "/v1/files", "/v1/complete"):
        assert REDACTOR.body(body, secret_members(path)) is body


def test_other_paths_keep_their_codes() -> None:
    body = b'{"code": "E1", "session_token": "PLANTED"}'
    assert REDACTOR.body(body, secret_members("/api/event_logging/batch")).startswith(b'{"code": "E1", "session_token": "[RED')
    assert b"PLANTED" not in REDACTOR.body(b"code=PLANTED", secret_members("/x", "application/x-www-form-urlencoded"))
