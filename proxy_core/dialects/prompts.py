"""A prompt on the wire, taken apart into elements without reading them: most were read with the request before.

An element is one tool, one system block or one message, as the bytes that stand in the body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from proxy_core.dialects.wire_json import WireJsonError, decode, escape_token, json_text

_UNREAD: Any = object()
_ELEMENT_KEYS = ("tools", "system", "messages")


@dataclass(frozen=True, slots=True)
class Element:
    """One tool, system block or message."""

    pointer: str
    """Where it stands in the body."""
    raw: bytes
    """Its JSON; as on the wire unless the body had to be read as a whole."""
    decoded: Any = _UNREAD

    def value(self) -> Any:
        """Read it.

        Raises:
            WireJsonError: It is no JSON after all.
        """
        return decode(self.raw) if self.decoded is _UNREAD else self.decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptBody:
    """One prompt of a body: a whole request, or one of a batch."""

    prefix: str = ""
    """Pointer of the object that holds the prompt."""
    tools: tuple[Element, ...] = ()
    system: tuple[Element, ...] = ()
    messages: tuple[Element, ...] = ()
    rest: Mapping[str, Any] = field(default_factory=dict)
    """All other members, read."""


def split_body(body: bytes) -> PromptBody:
    """Take a request body apart.

    Raises:
        WireJsonError: It is no JSON object.
    """
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        if _is_whole(body, members):
            return _from_raw({key: bytes(raw) for key, raw in members.items()})
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    value = decode(body)
    if not isinstance(value, dict):
        raise WireJsonError("not an object")
    return split_value(value)


def _is_whole(body: bytes, members: Mapping[str, msgspec.Raw]) -> bool:
    """Tell whether no key was repeated at the top: then the members, with or without spaces, are as long as the body."""
    keys_bytes = sum(len(key.encode()) + 2 for key in members)
    length = sum(len(bytes(raw)) for raw in members.values()) + keys_bytes
    compact = length + 2 * len(members) + 1
    return len(body.strip()) in {compact, compact + 2 * len(members) - 1}


def _from_raw(members: dict[str, bytes]) -> PromptBody:
    parts: dict[str, tuple[Element, ...]] = {}
    rest: dict[str, Any] = {}
    for key, raw in members.items():
        elements = _raw_elements(key, raw) if key in _ELEMENT_KEYS else None
        if elements is None:
            rest[key] = decode(raw)
        else:
            parts[key] = elements
    return _prompt("", parts, rest)


def _prompt(prefix: str, parts: Mapping[str, tuple[Element, ...]], rest: Mapping[str, Any]) -> PromptBody:
    tools, system, messages = (parts.get(key, ()) for key in _ELEMENT_KEYS)
    return PromptBody(prefix=prefix, tools=tools, system=system, messages=messages, rest=rest)


def _raw_elements(key: str, raw: bytes) -> tuple[Element, ...] | None:
    if raw.startswith(b"["):
        items = msgspec.json.decode(raw, type=list[msgspec.Raw])
        return tuple(Element(f"/{key}/{index}", bytes(item)) for index, item in enumerate(items))
    if key == "system" and raw.startswith(b'"'):
        return (Element("/system", raw),)
    return None


def split_value(value: Mapping[str, Any], prefix: str = "") -> PromptBody:
    """Take apart a request that was read already."""
    parts: dict[str, tuple[Element, ...]] = {}
    rest: dict[str, Any] = {}
    for key, member in value.items():
        at = f"{prefix}/{escape_token(key)}"
        if key in _ELEMENT_KEYS and isinstance(member, list):
            parts[key] = tuple(element_of(f"{at}/{index}", item) for index, item in enumerate(member))
        elif key == "system" and isinstance(member, str):
            parts[key] = (element_of(at, member),)
        else:
            rest[key] = member
    return _prompt(prefix, parts, rest)


def element_of(pointer: str, value: Any) -> Element:
    """Make an element of a value."""
    return Element(pointer, json_text(value).encode("utf-8", "surrogatepass"), value)
