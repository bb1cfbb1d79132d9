"""Which bodies are about signing in rather than prompts: there, members named like credentials are secrets too.

Never applied to prompts: a person's text about an `access_token` is kept as it was written.
"""

import re

_ENDINGS = (
    rb"token|secret|password|passwd|api[_-]?key|raw[_-]?key|session[_-]?key|private[_-]?key|assertion|code_verifier"
    rb"|authorization|credentials?|cookie|jwt|(?:authorization|device|user|verification|magic)_code"
)
_VALUE = rb"((?:[^\"\\]|\\.)+)(?=\"|\\?\Z)"
_PART_HEAD = rb"[^\n]{0,512}\r?\n(?:[^\r\n]{1,512}\r?\n){0,8}\r?\n"
"""What stands between a name and its value in a multipart form."""


def _patterns(names: bytes) -> tuple[re.Pattern[bytes], ...]:
    """Make patterns for JSON (also inside a string of JSON), forms and multipart forms."""
    return (
        re.compile(rb"(?is)(\"(?:" + names + rb")\"\s*:\s*\")" + _VALUE),
        re.compile(rb"(?is)((?<!\\)\\+\"(?:" + names + rb")\\+\"\s*:\s*\\+\")([^\"\\]+)"),
        re.compile(rb"(?i)((?:^|[?&\s])(?:" + names + rb")=)([^&\s\"'<>]+)"),
        re.compile(rb"(?is)(\bname=\"(?:" + names + rb")\"" + _PART_HEAD + rb")(.+?)(?=\r?\n--|\Z)"),
    )


_NAMED = rb"(?:[a-z0-9_.-]{0,64}(?:" + _ENDINGS + rb"))"
_OTHERS = _patterns(_NAMED)
_SIGN_IN = _patterns(rb"(?:" + _NAMED + rb"|code|state|sig|signature|nonce)")
_SIGN_IN_PATH = re.compile(r"(?i)oauth|token|auth|login|sign_?in|session|credential|api_?key|sso|saml|verif|magic")
_PROMPT_PATH = re.compile(
    r"(?i)/v1/(?:messages|complete|files|models|skills|chat/completions|embeddings)\b|^/model/|/publishers/|/chat_conversations"
)
_IS_GRANT = re.compile(r"(?i)application/x-www-form-urlencoded")


def secret_members(path: str, content_type: str = "") -> tuple[re.Pattern[bytes], ...]:
    """Return what else is a secret in the bodies of a path: patterns of what stands before it, and of itself."""
    path = path.partition("?")[0]
    if _PROMPT_PATH.search(path):
        return ()
    return _SIGN_IN if _SIGN_IN_PATH.search(path) or _IS_GRANT.search(content_type) else _OTHERS
