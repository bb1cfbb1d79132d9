"""Secrets end here: every header, URL, body and message passes before anything else sees it.

A secret becomes `[REDACTED:<fingerprint>]`. The fingerprint is an HMAC, so two requests by the same key can be
told to be so, and nobody without the key file can test a guess. Bytes that are no secret stay as they are.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from proxy_core.base64_text import EncodedSpan, find_encoded
from proxy_core.exchange import Headers
from proxy_core.seen_bodies import LEAST_BYTES, Beginning, SeenBodies

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
    rb"key|api[-_]?key|subscription-key|access[-_]?token|refresh[-_]?token|id[-_]?token|auth[-_]?token|session[-_]?token|token"
    rb"|authorization|auth|code|device_code|client[-_]?secret|secret|password|sig|signature|code_verifier|(?:client_)?assertion"
    rb"|samlresponse|x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)|awsaccesskeyid|googleaccessid"
)
_PARAMETER = re.compile(
    rb"(?i)((?:^|[?&;#]|%(?:3f|26|23))(?:" + _SECRET_PARAMETERS + rb")(?:=|%3d))((?:(?!%26|%23)[^&;#\s\"'<>])+)"
)
_USER_INFO = re.compile(rb"(?<=://)[^/?#\s@\"']+(?=@)")
# What clouds give out, known by its shape. Looked for in headers, URLs and messages only: a body is a person's text.
_CLOUD_TOKEN = re.compile(
    rb"\bya29\.[\w.-]{10,}|\bAIza[\w-]{30,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{8,1024}\.eyJ[\w-]{8,8192}\.[\w-]*"
)

# A key's characters as they are, percent-encoded, or as JSON escapes (any number of backslashes: JSON inside JSON).
_ESCAPE = rb"\\+u00"
_PERCENT = rb"%(?:25)*"


def _letter(plain: bytes, code: bytes) -> bytes:
    return rb"(?:" + plain + rb"|" + _ESCAPE + code + rb"|" + _PERCENT + code + rb")"


_KEY_LETTERS = (
    _letter(b"s", b"73"),
    _letter(b"k", b"6[bB]"),
    _letter(b"-", b"2[dD]"),
    _letter(b"a", b"61"),
    _letter(b"n", b"6[eE]"),
    _letter(b"t", b"74"),
    _letter(b"-", b"2[dD]"),
)
# A run of backslashes is looked at once, from its start: from each of them it would take quadratic time.
_RUN_START = rb"(?:(?<!\\)(?=\\)|(?!\\))"
_KEY_START = _RUN_START + b"".join(_KEY_LETTERS)
_KEY_REST = _letter(b"[A-Za-z0-9_-]", rb"(?:2[dD]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])") + b"+"
_KEY = re.compile(_KEY_START + _KEY_REST)
_PLAIN_KEY = re.compile(rb"sk-ant-" + _KEY_REST)
_ESCAPED_LETTER = re.compile(rb"\\u00(?:73|6[bB]|2[dD]|61|6[eE]|74)")
_PERCENT_LETTER = re.compile(rb"%(?:25)*(?:73|6[bB]|2[dD]|61|6[eE]|74)")
_UNESCAPE = re.compile(rb"\\+u00([0-9a-fA-F]{2})|%(?:25)*([0-9a-fA-F]{2})")

# The member with its value, at the top level of a JSON text or inside strings of one (then every quote has backslashes).
_MEMBER_NAME = rb"\"authorization(?:_|\\u005[fF])token\"\s*:\s*\""
_MEMBER_STARTS = (b"authorization_token", b"authorization\\u005")
# A text that is cut off has no closing quote: then the value goes on to the end.
_MEMBER = re.compile(rb"(" + _MEMBER_NAME + rb")((?:[^\"\\]|\\.)+)(?=\"|\\?\Z)", re.DOTALL)
_NESTED_MEMBER = re.compile(rb"((?<!\\)(\\+)\"authorization_token\2\"\s*:\s*\2\")(.+?)(?=(?<!\\)\2\"|\Z)", re.DOTALL)
_NESTED_START = b'\\"authorization_token\\'
_BACKSLASH = 0x5C
_BEARER = re.compile(rb"(?i)\b((?:bearer|basic) )([A-Za-z0-9._~+/=-]{8,})")
_HEADER_LINE = re.compile(
    rb"(?i)((?:(?:proxy-)?authorization|(?:x-)?(?:goog-)?api-key|(?:set-)?cookie|x-amz-security-token)"
    rb"\\*[\"']?\s*[:=,]\s*(?:b?\\*[\"'])?(?:(?:bearer|basic) )?)([^\\\"'\r\n]+)"
)


def _beginnings(letters: Sequence[bytes]) -> bytes:
    """Make the pattern of every beginning of a word."""
    rest = b""
    for letter in reversed(letters[1:]):
        rest = rb"(?:" + letter + rest + rb")?"
    return letters[0] + rest


_IS_REDACTED = re.compile(rb"\[REDACTED:[0-9a-f]{12}\]")
_MARK = re.compile(rb"\[(REDACTED:[0-9a-f]{12})\]")
_NETLOC = re.compile(rb"(?<=://)[^/?#]*")
_IS_USER_REDACTED = re.compile(rb"\[?REDACTED:[0-9a-f]{12}\]?")

# What may be the beginning of a secret whose end has not come yet (see `StreamRedactor`).
_OPEN_ESCAPE = rb"(?:\\+(?:u[0-9a-fA-F]{0,3})?|%(?:25)*[0-9a-fA-F]?)"
_OPEN_KEY = re.compile(_KEY.pattern + _OPEN_ESCAPE + rb"?\Z")
_OPEN_MEMBER = re.compile(
    rb"(?<!\\)\\*\"authorization(?:_|\\u005[fF])token\\*\"\s*(?::\s*(?:\\*(?:\"(?:[^\"\\]|\\.)*\\*)?)?)?\Z", re.DOTALL
)
_OPEN_START = re.compile(
    _RUN_START + rb"(?:" + _beginnings(_KEY_LETTERS) + rb")" + _OPEN_ESCAPE + rb"?\Z|(?<!\\)" + _OPEN_ESCAPE + rb"\Z"
)
_NAME_LETTERS = [b"%c" % letter for letter in b"authorization_token"]
_OPEN_NAME = re.compile(rb"(?<!\\)\\*\"(?:" + _beginnings(_NAME_LETTERS) + rb")?\\*\"?\s*\Z")
_LONGEST_START = 96
_LONGEST_KEY = 64 * 1024


class Secret(NamedTuple):
    """Where a secret stands, and what is to stand there."""

    start: int
    end: int
    mark: bytes


_NOTHING_SEEN: Beginning[Secret] = Beginning()


class Redactor:
    """Replaces secrets by keyed fingerprints.

    Args:
        key: What the fingerprints are keyed with; kept beside the root CA.
    """

    def __init__(self, key: bytes) -> None:
        self._hmac = hmac.new(key, digestmod=hashlib.sha256)
        # Requests of one client repeat most of their header lines. Only lines without a secret are remembered.
        self._clean_lines: dict[tuple[bytes, bytes], tuple[str, str]] = {}
        self._seen: SeenBodies[Secret] = SeenBodies()
        self.least_remembered_bytes = LEAST_BYTES
        """A body from this size on is remembered: what is found in it need not be searched for again."""

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
        # A URL with brackets around anything but an address is none: in its host's place, marks go without.
        redacted = _NETLOC.sub(lambda match: _MARK.sub(rb"\1", match[0]), self._url(_encoded(url)), count=1)
        return redacted.decode("utf-8", "replace")

    def text(self, text: str) -> str:
        """Return a message (an error, a log line) with the secrets in it replaced."""
        data = _encoded(text)
        data = _HEADER_LINE.sub(self._replace_value(2), self.body(data))
        data = _BEARER.sub(self._replace_value(2), data)
        return self._url(data).decode("utf-8", "replace")

    def body(self, data: bytes, members: Iterable[re.Pattern[bytes]] = ()) -> bytes:
        """Return a body with its secrets replaced: the very same object when there is none.

        Args:
            data: The body, or a text.
            members: What else is a secret in this one (see `credentials.py`): before it, and what it is.
        """
        secrets = self.secrets(data, members)
        return _replaced(data, secrets) if secrets else data

    def secrets(self, data: bytes, members: Iterable[re.Pattern[bytes]] = ()) -> list["Secret"]:
        """Find the secrets of a body, in order; no two overlap."""
        is_large = len(data) >= self.least_remembered_bytes
        seen = self._seen.beginning_of(data) if is_large else _NOTHING_SEEN
        keys, encoded, start = [*seen.keys], [*seen.encoded], seen.length
        if data.find(b"sk-ant-", start) >= 0:
            keys += (self._secret(match, 0) for match in _PLAIN_KEY.finditer(data, start))
        if _may_hide_key(data, start):
            keys += (self._secret(match, 0) for match in _KEY.finditer(data, start))
        encoded += (self._encoded(span) for span in find_encoded(data, _PLAIN_KEY, start))
        has_members = seen.has_members or any(data.find(name, start) >= 0 for name in _MEMBER_STARTS)
        if is_large:
            self._seen.remember(data, tuple(keys), tuple(encoded), has_members=has_members)
        if has_members:
            keys += (self._secret(match, 2) for match in _MEMBER.finditer(data))
            keys += (self._secret(match, 3) for match in _nested_members(data))
        for pattern in members:
            keys += (self._secret(match, 2) for match in pattern.finditer(data))
        found = (*keys, *encoded)
        return _merged(secret for secret in found if not _IS_REDACTED.fullmatch(data, secret.start, secret.end))

    def _header_line(self, field: tuple[bytes, bytes]) -> tuple[str, str]:
        name, value = field
        redacted = self._header_value(name, value)
        shown_name = self.body(name)
        line = (shown_name.decode("latin-1"), redacted.decode("latin-1"))
        if redacted == value and shown_name is name and len(value) < 512:
            if len(self._clean_lines) >= 2048:
                self._clean_lines.clear()
            self._clean_lines[field] = line
        return line

    def _header_value(self, name: bytes, value: bytes) -> bytes:
        lowered = name.lower()
        if lowered in _SECRET_HEADERS or _SECRET_HEADER_ENDING.search(lowered):
            return self._credentials(value)
        value = self.body(self._cloud_tokens(value))
        return self._url(value) if b"=" in value or b"@" in value or b"%" in value else value

    def _credentials(self, value: bytes) -> bytes:
        scheme, space, token = value.partition(b" ")
        if scheme.lower() in {b"bearer", b"basic"} and token:
            return scheme + space + self._mark(token.strip())
        return self._mark(value.strip()) if value.strip() else value

    def _url(self, url: bytes) -> bytes:
        url = _PARAMETER.sub(self._replace_value(2), url)
        url = _USER_INFO.sub(self._replace_user, url)
        return self.body(self._cloud_tokens(url))

    def _replace_user(self, match: re.Match[bytes]) -> bytes:
        return match[0] if _IS_USER_REDACTED.fullmatch(match[0]) else self._mark(match[0])

    def _cloud_tokens(self, data: bytes) -> bytes:
        return _CLOUD_TOKEN.sub(lambda match: self._mark(match[0]), data)

    def _secret(self, match: re.Match[bytes], group: int) -> "Secret":
        return Secret(*match.span(group), self._mark(_unescape(match[group])))

    def _encoded(self, span: EncodedSpan) -> "Secret":
        return Secret(span.start, span.end, span.replaced_by(self._mark(span.secret)))

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


def _nested_members(data: bytes) -> Iterator[re.Match[bytes]]:
    """Do what `_NESTED_MEMBER.finditer` does, without stopping at each backslash."""
    position = 0
    while (at := data.find(_NESTED_START, position)) >= 0:
        start = at
        while start and data[start - 1] == _BACKSLASH:
            start -= 1
        match = _NESTED_MEMBER.match(data, start) if start >= position else None
        position = match.end() if match else at + 1
        if match:
            yield match


def _merged(secrets: Iterable[Secret]) -> list[Secret]:
    """Put secrets in order; of those that overlap, the first covers them all."""
    merged: list[Secret] = []
    for secret in sorted(secrets, key=lambda found: (found.start, -found.end)):
        if merged and secret.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, secret.end))
        else:
            merged.append(secret)
    return merged


def _replaced(data: bytes, secrets: Iterable[Secret]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end, mark in secrets:
        parts += (data[position:start], mark)
        position = end
    return b"".join((*parts, data[position:]))


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, from JSON
        return text.encode("utf-8", "replace")


def open_secret_at(text: bytes) -> int:
    """Return where, at a text's end, something begins that more text may turn into a secret; its length if nothing does."""
    # No beginning but a member's contains a space: what stands before the last one is over.
    after_space = text.rfind(b" ") + 1
    matches = [
        _OPEN_KEY.search(text, after_space),
        _OPEN_START.search(text, after_space),
        _OPEN_NAME.search(text, text.rstrip().rfind(b" ") + 1),
    ]
    if any(name in text for name in _MEMBER_STARTS):
        matches.append(_OPEN_MEMBER.search(text))
    return min((match.start() for match in matches if match), default=len(text))


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
    if data.find(b"%", start) >= 0 and _PERCENT_LETTER.search(data, start):
        return True
    return data.find(b"\\", start) >= 0 and _ESCAPED_LETTER.search(data, start) is not None


def _unescape(secret: bytes) -> bytes:
    return _UNESCAPE.sub(lambda match: bytes.fromhex((match[1] or match[2]).decode()), secret)
