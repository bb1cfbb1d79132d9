"""What an export is to hold. Pure data."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class ExportFormat(StrEnum):
    """The formats."""

    JSON = "json"
    """One document by `docs/export.schema.json`."""
    JSONL = "jsonl"
    """One exchange a line, with its bodies: what `assay import` takes in again."""
    HAR = "har"
    CSV = "csv"
    OTLP_JSON = "otlp-json"
    """OpenTelemetry spans by the conventions for generative AI, one batch a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """How much is written."""

    has_bodies: bool | None = None
    """The bytes of both bodies; `None`: as the format is meant (JSONL and HAR: yes; JSON: no)."""
    has_texts: bool = True
    """The text of every segment; without it their sizes and hashes only."""
    generator: str = "assay"
    """Name and version of the program, for the head of the file."""
    on_exchange: Callable[[], None] | None = None
    """Called for each exchange that is read, for showing progress."""


def wants_bodies(options: ExportOptions, is_default: bool) -> bool:
    """Say whether bodies are written."""
    return is_default if options.has_bodies is None else options.has_bodies
