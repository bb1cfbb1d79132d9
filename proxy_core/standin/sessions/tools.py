# ruff: noqa: E501 - prose
"""Definitions of the demonstration's tools: the coding agent's own and those of its MCP servers, in our own words."""

from dataclasses import dataclass
from typing import Any

type ToolDefinition = dict[str, Any]


def _tool(name: str, description: str, required: tuple[str, ...], /, **properties: str) -> ToolDefinition:
    kinds = {key: text.partition(": ") for key, text in properties.items()}
    return {
        "name": name,
        "description": description,
        "input_schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {key: {"type": kind, "description": text} for key, (kind, _, text) in kinds.items()},
            "required": list(required),
            "additionalProperties": False,
        },
    }


BUILT_IN: tuple[ToolDefinition, ...] = (
    _tool(
        "Agent",
        "Start an agent that works on a task with a context of its own and hands back one message.\n\nUse it for searches whose path "
        "does not matter to you, for reviews that should not know your reasoning, and for pieces of work that can run side by side. "
        "Write the task so that a stranger could do it: the goal, what is known, where to look, what to hand back. The available types "
        "are listed in a reminder. An agent that runs in the background tells you when it is done; do not ask for its state.",
        ("description", "prompt"),
        description="string: Three to five words that name the task",
        prompt="string: The task in full",
        subagent_type="string: Which type of agent to start",
        run_in_background="boolean: Go on without waiting",
    ),
    _tool(
        "Bash",
        "Run a command in a shell that keeps its working directory.\n\n- Quote paths with spaces.\n- Join commands that depend on each "
        "other with &&; send independent ones as separate calls in one message.\n- Do not use it for reading, searching or editing files: "
        "there are tools for that.\n- Long-running commands go to the background.\n- Git: never change configuration, never skip hooks, "
        "never amend a commit you did not make in this session, push only when asked. Look at status, diff and log before you commit; "
        "the message says why, not what.",
        ("command",),
        command="string: The command",
        description="string: What it does, in at most ten words",
        timeout="number: Milliseconds until it is stopped",
        run_in_background="boolean: Do not wait for it",
    ),
    _tool(
        "Edit",
        "Replace a piece of text in a file. The file must have been read in this conversation. The old text must occur exactly once, "
        "unless every occurrence is to be replaced; take enough of the lines around it to make it unique. Keep the indentation as it "
        "stands in the file, without the line numbers that Read prints.",
        ("file_path", "old_string", "new_string"),
        file_path="string: Absolute path",
        old_string="string: What stands there now",
        new_string="string: What shall stand there",
        replace_all="boolean: Replace every occurrence",
    ),
    _tool(
        "Glob",
        "Find files by a pattern over their paths, newest first. For searches that need several rounds use an agent.",
        ("pattern",),
        pattern="string: Such as src/**/*.ts",
        path="string: Where to start; the working directory if left out",
    ),
    _tool(
        "Grep",
        "Search file contents with a regular expression (ripgrep's syntax). Literal braces need a backslash. Shows paths, counts or "
        "matching lines with context; filter by glob or file type.",
        ("pattern",),
        pattern="string: The regular expression",
        path="string: File or folder",
        glob="string: Only files whose path matches",
        output_mode="string: content, files_with_matches or count",
        context="number: Lines around each match",
    ),
    _tool(
        "Read",
        "Read a file; text comes with line numbers, images and PDF files are shown. Give offset and limit for long files. Reading a "
        "file that does not exist returns an error and does no harm.",
        ("file_path",),
        file_path="string: Absolute path",
        offset="number: First line",
        limit="number: Number of lines",
    ),
    _tool(
        "Skill",
        "Use a skill: instructions for a kind of task, listed in a reminder. When a skill fits what the user asks for, call this before "
        "anything else. A name with a slash in front, typed by the user, is a skill too.",
        ("skill",),
        skill="string: Its name, with the plugin's name and a colon in front if it has one",
        args="string: Its arguments",
    ),
    _tool(
        "TaskList",
        "Keep the list of what is to be done in this session. Make one for anything with three or more steps; one item is in progress "
        "at a time; tick items off as soon as they are done.",
        ("tasks",),
        tasks="array: The whole list with the state of each item",
    ),
    _tool(
        "ToolSearch",
        "Load the definitions of tools that are so far known by name only. Query `select:a,b` for exact names or words to search by. "
        "Until a tool was loaded it cannot be called.",
        ("query",),
        query="string: Names or words",
        max_results="number: At most so many",
    ),
    _tool(
        "Write",
        "Write a file anew. An existing file must have been read first. Prefer Edit for changes. Make no documentation files unless "
        "asked to.",
        ("file_path", "content"),
        file_path="string: Absolute path",
        content="string: The whole content",
    ),
)


@dataclass(frozen=True, slots=True)
class McpServer:
    """An MCP server that the demonstration's sessions are connected to."""

    name: str
    instructions: str
    tools: tuple[ToolDefinition, ...]

    def definitions(self) -> list[ToolDefinition]:
        """Return the tools under the names the client gives them."""
        return [{**tool, "name": f"mcp__{self.name}__{tool['name']}"} for tool in self.tools]


MCP_SERVERS = {
    server.name: server
    for server in (
        McpServer(
            "context7",
            "Use this server for questions about libraries: their current interface, set-up and examples. Resolve the library's id "
            "first, then ask for a topic. Do not use it for the project's own code.",
            (
                _tool(
                    "resolve-library-id",
                    "Find the id of a library by its name. Returns matching libraries with their versions, the number of snippets and a "
                    "score. Choose the one that fits the project's dependency file.",
                    ("libraryName",),
                    libraryName="string: Name as in the package registry",
                ),
                _tool(
                    "get-library-docs",
                    "Get current documentation of a library for one topic, with examples, up to a number of tokens.",
                    ("libraryId",),
                    libraryId="string: From resolve-library-id",
                    topic="string: What it is about",
                    tokens="number: Upper limit, 5000 unless given",
                ),
            ),
        ),
        McpServer(
            "github",
            "Issues, pull requests and checks of the repositories the developer works on. Read before you write; comments are public.",
            tuple(
                _tool(
                    name,
                    f"{text} Owner and repository are taken from the working directory's remote unless given. Results are paged.",
                    ("number",),
                    owner="string: Owner",
                    repository="string: Repository",
                    number="number: Issue or pull request",
                    body="string: Text, Markdown",
                    page="number: From 1",
                )
                for name, text in (
                    ("get_issue", "Read an issue with its labels and comments."),
                    ("list_issues", "List issues by state, label and author."),
                    ("get_pull_request", "Read a pull request: description, state, reviews."),
                    ("get_pull_request_diff", "Read the changes of a pull request as a unified diff."),
                    ("list_check_runs", "List the checks of a commit with their conclusions."),
                    ("create_issue_comment", "Write a comment under an issue or a pull request."),
                    ("merge_pull_request", "Merge a pull request by merge, squash or rebase."),
                    ("search_code", "Search code in all repositories the developer can see."),
                )
            ),
        ),
        McpServer(
            "postgres",
            "A read-only copy of the staging database. Always limit the number of rows. Never select whole tables of customers.",
            (
                _tool("query", "Run one SELECT statement and return rows as JSON.", ("sql",), sql="string: The statement"),
                _tool(
                    "describe_table", "Show columns, indexes and row count of a table.", ("table",), table="string: Its name"
                ),
                _tool("explain", "Show the plan of a statement with timings.", ("sql",), sql="string: The statement"),
            ),
        ),
    )
}
