"""How many tokens a model can hold, from the price list's model facts. Unknown stays unknown."""

from functools import lru_cache

from storage.views import SessionSummary


@lru_cache(maxsize=64)
def context_limit(model: str) -> int | None:
    """Return the context window of a model in tokens; `None` when it is not known."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, "anthropic", None)
    except LookupError:
        return None
    limit = found.context_window
    return int(limit) if limit else None


def session_limit(session: SessionSummary) -> int | None:
    """Return the window of the session's largest model, which is the one that holds the conversation."""
    limits = [limit for model in session.models if (limit := context_limit(model)) is not None]
    return max(limits, default=None)
