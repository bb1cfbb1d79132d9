"""Requests of no API that carries prompts: recorded as traffic, read no further."""

from urllib.parse import SplitResult

from proxy_core.dialects.prompts import PromptBody

NAME = "raw"


def matches(_method: str, _url: SplitResult) -> bool:
    """Take everything: this is the last resort."""
    return True


def prompts(_body: bytes) -> tuple[PromptBody, ...]:
    """Find nothing."""
    return ()


def no_model(_url: SplitResult) -> str | None:
    """Find no model in the URL."""
    return None
