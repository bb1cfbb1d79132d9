"""What the framework injects around the first prompt: memory files, git status, listings of skills, agents and MCP servers."""

from dataclasses import dataclass
from typing import Any

from proxy_core.standin.sessions import texts
from proxy_core.standin.sessions.story import Story
from proxy_core.standin.sessions.tools import MCP_SERVERS

_MEMORY_INTRODUCTION = "Codebase and user instructions are shown below. They override default behaviour."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the first message of a session depends on."""

    story: Story
    is_modern: bool
    """The model takes injected context as `role: system` messages; older ones as reminders in the user's message."""


def first_message(opening: Opening, prompt: str) -> dict[str, Any]:
    """Return message 0: memory, git status, commit rules, and last the prompt."""
    standing = [_memory(opening.story), _git_status(opening.story), texts.COMMIT_RULES]
    pieces = standing if opening.is_modern else opening_listings(opening) + standing
    blocks = [{"type": "text", "text": texts.reminder(piece)} for piece in pieces]
    return {"role": "user", "content": [*blocks, {"type": "text", "text": prompt}]}


def opening_listings(opening: Opening) -> list[str]:
    """Return the injected pieces of a session's start."""
    story = opening.story
    pieces = [
        "SessionStart:startup hook success: Build 4711 is green.",
        texts.ENVIRONMENT.format(directory=f"/work/{story.project}"),
        f"You are powered by the model named {_spoken(story.model)}. The exact model ID is {story.model}.",
        "Today's date is 2026-11-22.",
    ]
    if story.is_deferred:
        pieces.append(_deferred(story))
    else:
        pieces.append(_instructions(story))
    return [*pieces, _agents(), _skills()]


def later_listings(story: Story) -> list[str]:
    """Return what is injected once the MCP servers are connected and their tools loaded."""
    return [_instructions(story)]


def _memory(story: Story) -> str:
    reasons = ("user's private global instructions for all projects", "project instructions, checked into the codebase")
    files = [f"Contents of {path} ({why}):\n\n{text}" for (path, text), why in zip(story.memory.items(), reasons, strict=True)]
    return "\n\n".join([_MEMORY_INTRODUCTION, *files])


def _git_status(story: Story) -> str:
    commits = "\n".join(f"{number * 7919:07x} {story.project}: step {number}" for number in range(5, 0, -1))
    return texts.GIT_STATUS.format(branch=story.branch, status=" M src/app.py", commits=commits)


def _deferred(story: Story) -> str:
    names = [*texts.DEFERRED, *(tool["name"] for name in story.servers for tool in MCP_SERVERS[name].definitions())]
    return "The following deferred tools are now available via ToolSearch. Load them before you call them:\n" + "\n".join(names)


def _instructions(story: Story) -> str:
    servers = "\n\n".join(f"## {name}\n{MCP_SERVERS[name].instructions}" for name in story.servers)
    return f"# MCP Server Instructions\n\nThe following MCP servers have provided instructions for their tools:\n\n{servers}"


def _agents() -> str:
    return "Available agent types for the Agent tool:\n" + "\n".join(texts.AGENTS)


def _skills() -> str:
    listed = "\n".join(f"- {skill.name}: {skill.description}" for skill in texts.SKILLS.values())
    return f"The following skills are available for use with the Skill tool:\n\n{listed}"


def _spoken(model: str) -> str:
    family, *version = model.removeprefix("claude-").split("-")
    return f"{family.title()} {'.'.join(version)}"
