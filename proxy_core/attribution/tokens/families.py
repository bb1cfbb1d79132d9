"""Which tokenizer a model counts by: from the model's id to a family of `ctok`, or to the stand-in vocabulary.

Only ids are read here. Whether a family really fits a model is for the self-check to say.
"""

import re
from functools import lru_cache

V3 = "ctok 3"
V4_7 = "ctok 4.7"
V4_8 = "ctok 4.8"
O200K = "o200k"
"""The stand-in for every model whose tokenizer nobody knows."""

KNOWN_FAMILIES = (V3, V4_7, V4_8)

CTOK_VERSIONS = {V3: "3.0", V4_7: "4.7", V4_8: "4.8"}
"""Family -> the version to ask `ctok` for."""

STAND_IN_RATIO = {V3: 1.18, V4_7: 1.45, V4_8: 1.45}
"""Claude tokens for one o200k token, on code and English (`tokens-and-cost` measurements, 2026-11): for quick first figures."""

VERIFIED_UNTIL = (5, 0)
"""Newest generation whose counts were compared with bills (489 recorded requests, 2026-11). Newer ones are counted alike and
trusted only when their own bills agree."""

VERSIONED_ONCE = {"claude-mythos-preview": (4, 7)}
"""Ids without a version -> the generation they belong to."""

_WRAPPING = re.compile(
    r"^(?:arn:[^/]*/)?(?:(?:us|eu|apac|jp|au|ca|global|us-gov)\.)?(?:anthropic[./])?(?:~?anthropic/)?(?P<id>.*?)(?:-v\d+(?::\d+)?)?(?:\[1m\])?$"
)
_NAME_FIRST = re.compile(r"^claude-(?:[a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?=$|[-@])")
_VERSION_FIRST = re.compile(r"^claude-(\d{1,2})(?:[-.](\d{1,2}))?-[a-z]+")


@lru_cache(maxsize=1024)
def plain_model_id(model: str) -> str:
    """Strip what clouds wrap around a model id: region, vendor, revision."""
    match = _WRAPPING.match(model.strip().lower())
    return match["id"] if match else model


@lru_cache(maxsize=1024)
def claude_version(model: str) -> tuple[int, int] | None:
    """Read the generation of a Claude model from its id, such as (4, 8); `None` for others."""
    plain = plain_model_id(model)
    if plain in VERSIONED_ONCE:
        return VERSIONED_ONCE[plain]
    match = _NAME_FIRST.match(plain) or _VERSION_FIRST.match(plain)
    return (int(match[1]), int(match[2] or 0)) if match else None


def family_of(model: str | None) -> str:
    """Name the family whose tokens this model counts in."""
    version = claude_version(model) if model else None
    if version is None or version < (3, 0):
        return O200K
    if version < (4, 7):
        return V3
    return V4_7 if version < (4, 8) else V4_8


def is_verified(model: str) -> bool:
    """Tell whether counts by this model's family were ever compared with bills."""
    version = claude_version(model)
    return version is not None and (3, 0) <= version <= VERIFIED_UNTIL
