"""Client sessions and their agents."""

from storage.api.schemas.common import (
    Answer,
    Limit,
    Offset,
    Period,
    Timestamp,
    Usd,
    to_timestamp,
    to_usd,
)
from storage.views import AgentNode, SessionDetail, SessionSummary


class SessionQuery(Period):
    """Which sessions are wanted: those active in a time range."""

    limit: Limit = 20
    offset: Offset = 0


class SessionAnswer(Answer):
    """One client session."""

    id: str
    client_name: str | None
    client_version: str | None
    models: list[str]
    title: str | None
    """First line of the first prompt."""
    started_at: Timestamp
    last_active_at: Timestamp
    requests: int
    prompts: int
    agents: int
    """Sub-agents."""
    errors: int
    compactions: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cost_usd: Usd | None
    last_context_tokens: int | None
    """Input tokens of the main agent's newest request."""


class AgentAnswer(Answer):
    """One agent of a session."""

    agent_id: str | None
    """`null`: the main agent."""
    agent_type: str | None
    parent_agent_id: str | None
    requests: int
    input_tokens: int
    output_tokens: int
    cost_usd: Usd | None
    started_at: Timestamp
    last_active_at: Timestamp


class ContextSize(Answer):
    """How large the main agent's context was at one time."""

    timestamp: Timestamp
    input_tokens: int


class SessionDetailAnswer(SessionAnswer):
    """One session with its agents and the growth of its context."""

    agent_tree: list[AgentAnswer]
    """In the order they appeared; `parent_agent_id` makes the tree."""
    context_growth: list[ContextSize]


class SessionList(Answer):
    """One page of sessions, the last active first."""

    sessions: list[SessionAnswer]
    total: int
    limit: int
    offset: int


def _session_fields(view: SessionSummary) -> dict[str, object]:
    return {
        "id": view.session_id,
        "models": list(view.models),
        "started_at": to_timestamp(view.first_us),
        "last_active_at": to_timestamp(view.last_us),
        "cost_usd": to_usd(view.cost_nano_usd),
    } | {name: getattr(view, name) for name in _SAME_NAMES}


_RENAMED = {"id", "models", "started_at", "last_active_at", "cost_usd"}
_SAME_NAMES = tuple(name for name in SessionAnswer.model_fields if name not in _RENAMED)


def present_session(view: SessionSummary) -> SessionAnswer:
    """Present one session."""
    return SessionAnswer.model_validate(_session_fields(view))


def present_session_detail(view: SessionDetail) -> SessionDetailAnswer:
    """Present a session, whole."""
    fields = _session_fields(view.summary)
    fields["agent_tree"] = [_present_agent(agent) for agent in view.agents]
    fields["context_growth"] = [
        ContextSize(timestamp=to_timestamp(moment_us), input_tokens=tokens) for moment_us, tokens in view.context_growth
    ]
    return SessionDetailAnswer.model_validate(fields)


def _present_agent(view: AgentNode) -> AgentAnswer:
    return AgentAnswer(
        agent_id=view.agent_id,
        agent_type=view.agent_type,
        parent_agent_id=view.parent_agent_id,
        requests=view.requests,
        input_tokens=view.input_tokens,
        output_tokens=view.output_tokens,
        cost_usd=to_usd(view.cost_nano_usd),
        started_at=to_timestamp(view.first_us),
        last_active_at=to_timestamp(view.last_us),
    )
