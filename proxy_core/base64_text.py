"""Keys inside base64 (files in prompts, Amazon's event frames): found without decoding anything that holds none.

A mark takes a key's place at the same distance from the end of its group of three bytes, so that all other letters stay.
"""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

# "sk-ant-" at each of the three places within a group of three bytes: (letters that do not depend on its surroundings, how
# many letters of its group stand before them, how many bytes of the group stand before it).
_STARTS = (
    (re.compile(rb"c2stYW50L"), 0, 0),
    (re.compile(rb"NrLWFudC"), 2, 1),
    (re.compile(rb"zay1hbnQt"), 3, 2),
)
_LETTERS = re.compile(rb"[A-Za-z0-9+/_-]{0,16384}")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class EncodedSpan(NamedTuple):
    """A key inside base64."""

    start: int
    """First letter of the first group the key reaches into."""
    end: int
    secret: bytes
    before: bytes
    """What of the first group is not the key's."""
    after: bytes
    """What of the last group is not."""
    is_url_safe: bool

    def replaced_by(self, mark: bytes) -> bytes:
        """Encode what is to stand here instead: padded with spaces, so that whatever follows keeps its place."""
        padding = b" " * ((len(self.secret) - len(mark)) % 3)
        encoded = base64.b64encode(self.before + mark + padding + self.after).rstrip(b"=")
        return encoded.translate(_TO_URL_SAFE) if self.is_url_safe else encoded


def find_encoded(data: bytes, key: re.Pattern[bytes], begin: int = 0) -> Iterator[EncodedSpan]:
    """Find keys inside base64.

    Args:
        data: Where to look.
        key: The pattern of a key.
        begin: Where to begin; no letter of base64 stands right before.
    """
    for start, letters_before, bytes_before in _STARTS:
        for found in start.finditer(data, begin):
            at = found.start() - letters_before
            span = _span(data, at, bytes_before, key) if at >= 0 else None
            if span is not None:
                yield span


def _span(data: bytes, at: int, bytes_before: int, key: re.Pattern[bytes]) -> EncodedSpan | None:
    run = _LETTERS.match(data, at)
    letters = run[0] if run else b""
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    decoded = base64.b64decode(letters.translate(_TO_STANDARD) + b"=" * (-len(letters) % 4))
    match = key.match(decoded, bytes_before)
    if match is None:
        return None
    groups_end = -(-match.end() // 3) * 3
    end = at + min(groups_end // 3 * 4, len(letters))
    is_url_safe = b"-" in letters or b"_" in letters
    return EncodedSpan(at, end, match[0], decoded[:bytes_before], decoded[match.end() : groups_end], is_url_safe)
