"""What ties a request to others: session, user turn, agent, the request before, the history it goes on from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from proxy_core.attribution.cuts import CutElement

_OLD_USER_ID = re.compile(r"user_[0-9a-f]{64}_account_[0-9a-f-]{0,64}_session_([0-9a-f-]{8,64})")
_BILLING_PREFIX = "x-anthropic-billing-header:"
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Ids a client sends along."""

    session_id: str | None
    prompt_id: str | None
    agent_id: str | None
    parent_agent_id: str | None
    agent_type: str | None
    previous_request_id: str | None
    thread_message_id: str | None
    is_subagent: bool
    """The client says that a sub-agent speaks."""


def billing_fields(prompt_head: str) -> dict[str, str]:
    """Read the `key=value;` pairs of a billing line; empty when there is none."""
    if not prompt_head.startswith(_BILLING_PREFIX):
        return {}
    line = prompt_head[len(_BILLING_PREFIX) :].split("\n", 1)[0]
    pairs = (pair.partition("=") for pair in line.split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def read_links(headers: Mapping[str, str], rest: Mapping[str, Any], billing: Mapping[str, str]) -> Links:
    """Collect the ids of a request from its headers, its metadata and its billing line."""
    parent_session = headers.get("x-parent-session-id")
    agent_id = headers.get("x-claude-code-agent-id")
    session = headers.get("x-session-id")
    return Links(
        session_id=headers.get("x-claude-code-session-id") or _session_in(rest) or parent_session or session,
        prompt_id=headers.get("x-claude-code-prompt-id") or billing.get("cc_prompt_id"),
        agent_id=agent_id or (session if parent_session else None),
        parent_agent_id=headers.get("x-claude-code-parent-agent-id"),
        agent_type=headers.get("x-claude-code-agent-type"),
        previous_request_id=billing.get("cc_prev_req"),
        thread_message_id=_text(_member(rest, "thread"), "previous_message_id"),
        is_subagent=bool(agent_id or parent_session) or billing.get("cc_is_subagent") == "true",
    )


def _session_in(rest: Mapping[str, Any]) -> str | None:
    user_id = _text(_member(rest, "metadata"), "user_id")
    if user_id is None:
        return None
    old = _OLD_USER_ID.fullmatch(user_id)
    if old is not None:
        return old[1]
    try:
        return _text(msgspec.json.decode(user_id), "session_id") if user_id.startswith("{") else None
    except (msgspec.MsgspecError, RecursionError):
        return None


def _member(holder: Mapping[str, Any], key: str) -> Any:
    return holder.get(key)


def _text(holder: Any, key: str) -> str | None:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, str) and value else None


def chain_hashes(messages: Iterable[CutElement]) -> tuple[str, ...]:
    """Hash the conversation up to and with each message, over what stays of a message from request to request."""
    chain: list[str] = []
    before = b""
    for message in messages:
        before = blake2b(before + message.normal_hash, digest_size=_HASH_BYTES).digest()
        chain.append(before.hex())
    return tuple(chain)


def prefix_hash(tools: Iterable[CutElement], system: Iterable[CutElement]) -> str:
    """Hash tools and system without cache marks."""
    parts = [*(tool.normal_hash for tool in tools), b"system", *(block.normal_hash for block in system)]
    return blake2b(b"".join(parts), digest_size=_HASH_BYTES).hexdigest()
