"""Input tokens by kind of source, in a few bytes of an exchange's row: for the coloured bar of each line in a list."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from proxy_core.attribution.model import Ledger, SourceType, Zone
from storage.views import Spectrum

CODES: Final[Mapping[SourceType, int]] = {
    SourceType.USER: 1,
    SourceType.FRAMEWORK: 2,
    SourceType.MCP_SERVER: 3,
    SourceType.SKILL: 4,
    SourceType.MEMORY: 5,
    SourceType.COMMAND: 6,
    SourceType.AGENT: 7,
    SourceType.HOOK: 8,
    SourceType.OUTPUT_STYLE: 9,
    SourceType.TOOL: 10,
    SourceType.FILE: 11,
    SourceType.ASSISTANT: 12,
    SourceType.SUMMARY: 13,
    SourceType.OVERHEAD: 14,
    SourceType.UNATTRIBUTED: 15,
}
"""Numbers are in databases: none is ever given to another kind."""
_KINDS = {code: kind for kind, code in CODES.items()}
_decode = msgspec.msgpack.Decoder(list[int]).decode


def encode_spectrum(ledger: Ledger | None) -> bytes:
    """Sum up a ledger's input by kind of source; empty where there is no prompt."""
    tokens: Counter[SourceType] = Counter()
    for line in ledger.lines if ledger else ():
        if line.zone is not Zone.OUTPUT:
            tokens[line.source.source_type] += line.tokens
    flat = [part for kind, amount in tokens.most_common() if amount > 0 for part in (CODES[kind], amount)]
    return msgspec.msgpack.encode(flat) if flat else b""


def decode_spectrum(packed: bytes) -> Spectrum:
    """Undo `encode_spectrum`; a kind of a newer program is left out."""
    if not packed:
        return ()
    flat = _decode(packed)
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return tuple([(_KINDS[code], amount) for code, amount in pairs if code in _KINDS])
