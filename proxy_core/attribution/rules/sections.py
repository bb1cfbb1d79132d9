"""Short ways of writing the rules that occur most."""

from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.rules.model import PieceRule, Place, Reader


def framework(name: str) -> Source:
    """Name a section of the framework's."""
    return Source(SourceType.FRAMEWORK, name)


def section(opener: str, name: str, places: Place, *, is_pattern: bool = False) -> PieceRule:
    """Write a rule for a piece that is the framework's as a whole."""
    part = Part.INSTRUCTIONS if places is Place.PROMPT else Part.CONTEXT
    return PieceRule(opener=opener, places=places, source=framework(name), part=part, is_pattern=is_pattern)


def piece(kind: SourceType, opener: str, reader: Reader, part: Part, places: Place, *, is_pattern: bool = False) -> PieceRule:
    """Write a rule for a piece that carries others' text, so that only known markers end it."""
    return PieceRule(
        opener=opener, places=places, source=Source(kind), reader=reader, part=part, is_pattern=is_pattern, is_foreign=True
    )
