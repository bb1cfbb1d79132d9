"""Real Claude Code in a home of its own: how it is started, and which of its traffic is the same in every run."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proxy_core.standin.scenario import MessagesRequest, ToolCall, Turn, assistant_turns, has_tool, scripted
from proxy_core.standin.wire import ReceivedRequest

BINARY = os.environ.get("ASSAY_CLAUDE_CODE", "")
"""Path of the program; the tests that need it are skipped without."""
PROMPT = "Read the notes, list the folder, and let an agent count the lines."
_VARYING = (
    re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(rb"\b[0-9a-f]{64}\b"),
    re.compile(rb"(?<=cch=)[0-9a-f]+"),
    re.compile(rb"(?<=cc_version=)[0-9.]+[0-9a-f]+"),
    re.compile(rb"\b(?:msg|req|toolu)_[0-9a-zA-Z]+"),
    re.compile(rb"\ba[0-9a-f]{16}\b"),
    re.compile(rb"(?<=duration_ms: )\d+"),
    re.compile(rb"(?<=subagent_tokens: )\d+"),  # random ids are counted too
)
_VARYING_HEADERS = {b"x-claude-code-prev-tool-durations", b"content-length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run printed."""

    exit_code: int
    stdout: str
    stderr: str


def agent_scenario(notes: Path):
    """The model reads a file and runs a command side by side, starts an agent that reads too, then answers."""
    main = scripted(
        [
            Turn(
                thinking="Both at once.",
                text="I look at both.",
                tool_calls=(
                    ToolCall(name="Read", input={"file_path": str(notes)}),
                    ToolCall(name="Bash", input={"command": "ls", "description": "List the folder"}),
                ),
            ),
            Turn(
                tool_calls=(
                    ToolCall(
                        name="Agent",
                        input={
                            "description": "Count lines",
                            "prompt": "COUNT-LINES: count the lines of the notes",
                            "subagent_type": "general-purpose",
                            "run_in_background": False,
                        },
                    ),
                )
            ),
            Turn(text="The notes say 42, the folder holds one file, and it has one line."),
        ]
    )
    agent = scripted(
        [
            Turn(tool_calls=(ToolCall(name="Read", input={"file_path": str(notes)}),)),
            Turn(text="One line."),
        ]
    )

    def answer(request: MessagesRequest) -> Turn:
        is_agent = not has_tool(request, "Agent") or "COUNT-LINES" in json.dumps(request["messages"][:1])
        if assistant_turns(request) == 0 and not has_tool(request, "Read"):
            return Turn(text="A title")
        return agent(request) if is_agent else main(request)

    return answer


def prepare(directory: Path) -> Path:
    """Make a home and a project in it; return the notes file."""
    (directory / "home").mkdir()
    project = directory / "project"
    project.mkdir()
    notes = project / "notes.txt"
    notes.write_text("The answer is 42.\n")
    (project / "CLAUDE.md").write_text("Answer in one sentence.\n")
    return notes


def run(directory: Path, variables: Mapping[str, str], before: Sequence[str] = ()) -> Run:
    """Run it without a screen: nothing of our own environment, a made-up key, loopback alone."""
    environment = {
        "HOME": str(directory / "home"),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "ANTHROPIC_API_KEY": "sk-ant-api03-made-up-0123456789-abcdefghij",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        **variables,
    }
    command = [*before, BINARY, "-p", PROMPT, "--model", "claude-opus-5-5", "--allowedTools", "Read,Bash,Agent"]
    done = subprocess.run(
        command,
        env=environment,
        cwd=directory / "project",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    return Run(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def comparable(requests: Sequence[ReceivedRequest]) -> list[tuple[object, ...]]:
    """Return the messages requests with everything blanked that differs from run to run."""
    kept = [request for request in requests if request.head.path.startswith("/v1/messages")]
    return [(request.head.target, _headers(request), _blank(request.body or b"")) for request in kept]


def _headers(request: ReceivedRequest) -> list[tuple[bytes, bytes]]:
    return [(name, b"*" if name.lower() in _VARYING_HEADERS else _blank(value)) for name, value in request.head.headers]


def _blank(value: bytes) -> bytes:
    for pattern in _VARYING:
        value = pattern.sub(b"*", value)
    return value
