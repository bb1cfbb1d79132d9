"""Secrets end here: every header, URL, body and message passes before anything else sees it.

A secret becomes `[REDACTED:<fingerprint>]`. The fingerprint is an HMAC, so two requests by the same key can be
told to be so, and nobody without the key file can test a guess. Bytes that are no secret stay as they are.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable

from proxy_core.exchange import Headers

FINGERPRINT_DIGITS = 12

_SECRET_HEADERS = frozenset(
    {
        b"authorization",
        b"proxy-authorization",
        b"x-api-key",
        b"api-key",
        b"cookie",
        b"set-cookie",
        b"set-cookie2",
        b"x-goog-api-key",
        b"x-amz-security-token",
        b"helicone-auth",
        b"ocp-apim-subscription-key",
    }
)
# Endings, because gateways name their own. Not a bare "tokens": rate limits are counted in tokens.
_SECRET_HEADER_ENDING = re.compile(
    rb"(?:authorization|-auth|(?:api|access|auth|secret|subscription|private|account)[-_]?key|[-_](?:token|secret|password|passwd"
    rb"|credentials?|signature|cookie|jwt))$"
)
_SECRET_PARAMETERS = (
    rb"key|api[-_]?key|subscription-key|access[-_]?token|refresh[-_]?token|id[-_]?token|auth[-_]?token|token|authorization|auth"
    rb"|client[-_]?secret|secret|password|sig|signature|code_verifier|assertion"
    rb"|x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)|awsaccesskeyid|googleaccessid"
)
_PARAMETER = re.compile(rb"(?i)((?:^|[?&;#])(?:" + _SECRET_PARAMETERS + rb")=)([^&;#\s\"'<>]+)")
_USER_INFO = re.compile(rb"(?<=://)[^/?#\s@\"']+(?=@)")

# A key's characters as they are, percent-encoded, or as JSON escapes (any number of backslashes: JSON inside JSON).
_ESCAPE = rb"\\+u00"
_KEY_START = (
    rb"(?:s|" + _ESCAPE + rb"73)(?:k|" + _ESCAPE + rb"6[bB])(?:-|%2[dD]|" + _ESCAPE + rb"2[dD])"
    rb"(?:a|" + _ESCAPE + rb"61)(?:n|" + _ESCAPE + rb"6[eE])(?:t|" + _ESCAPE + rb"74)(?:-|%2[dD]|" + _ESCAPE + rb"2[dD])"
)
_KEY_REST = (
    rb"(?:[A-Za-z0-9_-]|%(?:2[dD]|5[fF])|" + _ESCAPE + rb"(?:2[dD]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA]))+"
)
_KEY = re.compile(_KEY_START + _KEY_REST)
_PLAIN_KEY = re.compile(rb"sk-ant-" + _KEY_REST)
_ESCAPED_LETTER = re.compile(rb"\\u00(?:73|6[bB]|2[dD]|61|6[eE]|74)")
_PERCENT_DASH = re.compile(rb"%2[dD]")
_UNESCAPE = re.compile(rb"\\+u00([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})")

# The member with its value, at the top level of a JSON text or inside strings of one (then every quote has backslashes).
_MEMBER_NAME = rb"\"authorization(?:_|\\u005[fF])token\"\s*:\s*\""
# A text that is cut off has no closing quote: then the value goes on to the end.
_MEMBER = re.compile(rb"(" + _MEMBER_NAME + rb")((?:[^\"\\]|\\.)+)(?=\"|\\?\Z)", re.DOTALL)
_NESTED_MEMBER = re.compile(rb"((\\+)\"authorization_token\2\"\s*:\s*\2\")(.+?)(?=(?<!\\)\2\"|\Z)", re.DOTALL)
_BEARER = re.compile(rb"(?i)\b((?:bearer|basic) )([A-Za-z0-9._~+/=-]{8,})")
_HEADER_LINE = re.compile(
    rb"(?i)((?:(?:proxy-)?authorization|(?:x-)?(?:goog-)?api-key|(?:set-)?cookie|x-amz-security-token)"
    rb"\\*[\"']?\s*[:=,]\s*(?:b?\\*[\"'])?(?:(?:bearer|basic) )?)([^\\\"'\r\n]+)"
)
_IS_REDACTED = re.compile(rb"\[REDACTED:[0-9a-f]{12}\]")

# What may be the beginning of a secret whose end has not come yet (see `StreamRedactor`).
_OPEN_KEY = re.compile(_KEY.pattern + rb"(?:\\+(?:u[0-9a-fA-F]{0,3})?|%[0-9a-fA-F]?)?\Z")
_OPEN_MEMBER = re.compile(
    rb"\\*\"authorization(?:_|\\u005[fF])token\\*\"\s*(?::\s*(?:\\*(?:\"(?:[^\"\\]|\\.)*\\*)?)?)?\Z", re.DOTALL
)
_LONGEST_START = 96
_LONGEST_KEY = 64 * 1024


class Redactor:
    """Replaces secrets by keyed fingerprints.

    Args:
        key: What the fingerprints are keyed with; kept beside the root CA.
    """

    def __init__(self, key: bytes) -> None:
        self._hmac = hmac.new(key, digestmod=hashlib.sha256)
        # Requests of one client repeat most of their header lines. Only lines without a secret are remembered.
        self._clean_lines: dict[tuple[bytes, bytes], tuple[str, str]] = {}

    def fingerprint(self, secret: bytes) -> str:
        """Return the short hex digest that stands for a secret."""
        mac = self._hmac.copy()
        mac.update(secret)
        return mac.hexdigest()[:FINGERPRINT_DIGITS]

    def headers(self, fields: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Return header lines as text (latin-1), secrets replaced, order and case kept."""
        clean = self._clean_lines
        lines = []
        for field in fields:
            line = clean.get(field)
            lines.append(line if line is not None else self._header_line(field))
        return tuple(lines)

    def url(self, url: str) -> str:
        """Return a URL with user names, keys and signatures replaced."""
        return self._url(url.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def text(self, text: str) -> str:
        """Return a message (an error, a log line) with the secrets in it replaced."""
        data = text.encode("utf-8", "surrogateescape")
        data = _HEADER_LINE.sub(self._replace_value(2), self.body(data))
        data = _BEARER.sub(self._replace_value(2), data)
        return self._url(data).decode("utf-8", "replace")

    def body(self, data: bytes) -> bytes:
        """Return a body with its secrets replaced: the very same object when there is none."""
        # Compiled patterns that begin with fixed bytes search twice as fast as `in` does.
        if _PLAIN_KEY.search(data):
            data = _PLAIN_KEY.sub(self._replace_key, data)
        if _may_hide_key(data):
            data = _KEY.sub(self._replace_key, data)
        if b"authorization_token" in data or b"authorization\\u005" in data:
            data = _MEMBER.sub(self._replace_value(2), data)
            data = _NESTED_MEMBER.sub(self._replace_value(3), data)
        return data

    def _header_line(self, field: tuple[bytes, bytes]) -> tuple[str, str]:
        name, value = field
        redacted = self._header_value(name, value)
        line = (name.decode("latin-1"), redacted.decode("latin-1"))
        if redacted == value and len(value) < 512:
            if len(self._clean_lines) >= 2048:
                self._clean_lines.clear()
            self._clean_lines[field] = line
        return line

    def _header_value(self, name: bytes, value: bytes) -> bytes:
        lowered = name.lower()
        if lowered in _SECRET_HEADERS or _SECRET_HEADER_ENDING.search(lowered):
            return self._credentials(value)
        value = self.body(value)
        return self._url(value) if b"=" in value or b"@" in value else value

    def _credentials(self, value: bytes) -> bytes:
        scheme, space, token = value.partition(b" ")
        if scheme.lower() in {b"bearer", b"basic"} and token:
            return scheme + space + self._mark(token.strip())
        return self._mark(value.strip()) if value.strip() else value

    def _url(self, url: bytes) -> bytes:
        url = _PARAMETER.sub(self._replace_value(2), url)
        url = _USER_INFO.sub(lambda match: self._mark(match[0]), url)
        return self.body(url)

    def _replace_key(self, match: re.Match[bytes]) -> bytes:
        return self._mark(_unescape(match[0]))

    def _replace_value(self, group: int) -> Callable[[re.Match[bytes]], bytes]:
        def replace(match: re.Match[bytes]) -> bytes:
            return match[1] + (match[group] if _IS_REDACTED.fullmatch(match[group]) else self._mark(_unescape(match[group])))

        return replace

    def _mark(self, secret: bytes) -> bytes:
        return b"[REDACTED:%s]" % self.fingerprint(secret).encode()


class StreamRedactor:
    """Redacts a body that comes in pieces: what may become a secret is held back until that is decided.

    Args:
        redactor: Replaces what was found.
        hold_limit_bytes: The most that is held back; beyond it the rest of the body is withheld for good.
    """

    def __init__(self, redactor: Redactor, hold_limit_bytes: int = 1024 * 1024) -> None:
        self._redactor = redactor
        self._hold_limit_bytes = hold_limit_bytes
        self._held = b""
        self.is_redacted = False
        """Something was replaced so far."""
        self.is_withheld = False
        """A secret without an end was met: nothing more comes out."""

    def feed(self, data: bytes) -> bytes:
        """Return what can be shown after this piece."""
        if self.is_withheld or not data:
            return b""
        buffer = self._held + data
        cut = _safe_cut(buffer)
        self._held = buffer[cut:]
        if len(self._held) > self._hold_limit_bytes:
            self.is_withheld = True
            self._held = b""
        return self._redact(buffer[:cut])

    def finish(self) -> bytes:
        """Return what was held back, now that nothing follows."""
        held, self._held = self._held, b""
        return self._redact(held)

    def _redact(self, data: bytes) -> bytes:
        redacted = self._redactor.body(data)
        self.is_redacted = self.is_redacted or redacted is not data
        return redacted


def _safe_cut(buffer: bytes) -> int:
    """Return up to where a buffer can be redacted whatever follows it."""
    window = max(0, len(buffer) - _LONGEST_KEY)
    cut = max(0, len(buffer) - _LONGEST_START)
    patterns: tuple[re.Pattern[bytes], ...] = ()
    if buffer.find(b"sk-ant-", window) >= 0 or _may_hide_key(buffer, window):
        patterns = (_OPEN_KEY, _KEY)
    found = [match for pattern in patterns for match in pattern.finditer(buffer, window)]
    member_at = buffer.rfind(b"authorization")
    if member_at >= 0:
        member_at = max(0, member_at - _LONGEST_START)
        for pattern in (_OPEN_MEMBER, _MEMBER, _NESTED_MEMBER):
            found += pattern.finditer(buffer, member_at)
    # What reaches beyond the cut, or to the very end, may go on in the next piece.
    return min([cut, *(match.start() for match in found if match.end() > cut or match.end() == len(buffer))])


def _may_hide_key(data: bytes, start: int = 0) -> bool:
    """Say, from a few searches for fixed bytes, whether a key may stand there in an escaped form."""
    if data.find(b"%", start) >= 0 and _PERCENT_DASH.search(data, start):
        return True
    return data.find(b"\\", start) >= 0 and _ESCAPED_LETTER.search(data, start) is not None


def _unescape(secret: bytes) -> bytes:
    return _UNESCAPE.sub(lambda match: bytes.fromhex((match[1] or match[2]).decode()), secret)
