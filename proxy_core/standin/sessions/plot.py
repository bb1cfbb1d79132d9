# ruff: noqa: E501 - prose
"""Makes up sessions: which project, which questions, which tools; the same seed gives the same session."""

import random
from collections.abc import Callable, Sequence

from proxy_core.standin.sessions.sources import file_text, log_text, query_rows
from proxy_core.standin.sessions.story import Ask, Call, Delegation, Round, Story

_MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "claude-sonnet-4-6",
    "claude-fable-5-2",
    "claude-opus-4-6",
)
_PROJECTS = {
    "harbour": ("berths", "tariffs", "arrivals", "ledger", "pilots"),
    "loom": ("patterns", "threads", "orders", "pricing", "shipping"),
    "orchard": ("harvest", "irrigation", "sensors", "alerts", "reports"),
}
_PROBLEMS = (
    ("The nightly {a} job counts entries twice when it is restarted. Find out why and fix it.", "double counting in {a}"),
    ("Add a filter by date to the {a} list, with tests.", "a date filter for {a}"),
    ("Why is the {a} page slow for large customers?", "the slow {a} page"),
    ("Move {a} off the old client library; {b} shows how.", "moving {a} to the new client"),
    ("The test for {a} fails about once in ten runs. What is it?", "a flaky test in {a}"),
    ("Write the release notes for what changed in {a} and {b}.", "release notes"),
    ("Review what is on this branch before I open a pull request.", "a review of the branch"),
)

type Scene = Callable[[random.Random, str, str], Round]


def make_story(seed: int) -> Story:
    """Make up one session."""
    chance = random.Random(seed)  # noqa: S311 - a plot, not a secret
    project = chance.choice(sorted(_PROJECTS))
    areas = _PROJECTS[project]
    number_of_asks = chance.randint(2, 5)
    asks = tuple(_make_ask(chance, project, areas, is_first=index == 0) for index in range(number_of_asks))
    model = _MODELS[seed % len(_MODELS)]
    return Story(
        project=project,
        branch=f"fix/{chance.choice(areas)}-{chance.randint(100, 999)}",
        model=model,
        title=f"Work on {project}: {chance.choice(areas)}",
        memory=_memory(project, areas),
        servers=("context7", "github", "postgres"),
        is_deferred="-5" in model,
        asks=asks,
        compacted_after=chance.choice((None, 2)) if number_of_asks > 2 else None,
        summary=f"The developer works on {project}. {asks[0].prompt} That is done and tested; {areas[0]} was changed. Next: {asks[-1].prompt}",
    )


def _make_ask(chance: random.Random, project: str, areas: Sequence[str], *, is_first: bool) -> Ask:
    area, other = chance.sample(areas, 2)
    prompt, topic = chance.choice(_PROBLEMS)
    scenes: list[Scene] = [_look]
    if is_first:
        scenes.append(chance.choice((_ask_the_database, _ask_the_library)))
    scenes += chance.sample((_run_tests, _search, _edit, _ask_github, _delegate, _use_skill), chance.randint(1, 4))
    return Ask(
        prompt=prompt.format(a=area, b=other),
        rounds=tuple(scene(chance, project, area) for scene in scenes),
        answer=f"Done with {topic.format(a=area, b=other)}. The cause was in src/{area}.py:{chance.randint(12, 90)}: the state was read "
        f"before the lock was taken. I moved the read inside, added a test that fails without the change, and ran the tests of "
        f"{area} and {other}: all pass. Not touched: the callers in {other}, which rely on the old order but are safe.",
        failing_status=chance.choice((None, None, None, 529, 429, 500)),
    )


def _look(chance: random.Random, project: str, area: str) -> Round:
    paths = (f"/work/{project}/src/{area}.py", f"/work/{project}/tests/test_{area}.py")
    return Round(
        thinking=f"The place to start is {area}: the module and its tests. Both can be read at once.",
        text=f"I read {area} and its tests.",
        calls=tuple(Call(name="Read", input={"file_path": path}, result=file_text(chance, area)) for path in paths),
    )


def _run_tests(chance: random.Random, _project: str, area: str) -> Round:
    failed = chance.random() < 0.4
    call = Call(
        name="Bash",
        input={"command": f"pytest tests/test_{area}.py -q", "description": f"Run the tests of {area}"},
        result=log_text(chance, area, failed=failed),
        is_error=failed,
    )
    return Round(calls=(call,))


def _search(chance: random.Random, project: str, area: str) -> Round:
    lines = [
        f"src/{area}.py:{chance.randint(5, 300)}:    entry = {area}_for(day, {number})"
        for number in range(chance.randint(3, 14))
    ]
    search = {"pattern": f"{area}_for\\(", "output_mode": "content"}
    listing = [f"/work/{project}/src/{area}.py", f"/work/{project}/src/{area}_view.py", f"/work/{project}/tests/test_{area}.py"]
    return Round(
        text="Who calls it?",
        calls=(
            Call(name="Grep", input=search, result="\n".join(lines)),
            Call(name="Glob", input={"pattern": f"**/*{area}*"}, result="\n".join(listing)),
        ),
    )


def _edit(chance: random.Random, project: str, area: str) -> Round:
    path = f"/work/{project}/src/{area}.py"
    change = {
        "file_path": path,
        "old_string": f"    state = read_{area}()\n    with lock:\n",
        "new_string": f"    with lock:\n        state = read_{area}()\n",
    }
    shown = file_text(chance, area, lines=8)
    return Round(
        thinking="The read has to move inside the lock. Nothing else changes.",
        calls=(Call(name="Edit", input=change, result=f"The file {path} has been updated.\n{shown}"),),
    )


def _ask_the_library(_chance: random.Random, _project: str, area: str) -> Round:
    snippets = "\n\n".join(
        f"### Example {number}\nclient.{area}.iterate(page_size={number * 50}, retry=Retry(total=3))" for number in range(1, 12)
    )
    return Round(
        calls=(
            Call(
                name="mcp__context7__resolve-library-id",
                input={"libraryName": "pagewise"},
                result="/acme/pagewise (v4.2, 318 snippets)",
            ),
            Call(
                name="mcp__context7__get-library-docs",
                input={"libraryId": "/acme/pagewise", "topic": "iteration", "tokens": 4000},
                result=f"# pagewise: iteration\n\n{snippets}",
            ),
        )
    )


def _ask_the_database(chance: random.Random, _project: str, area: str) -> Round:
    sql = f"SELECT day, count(*) AS entries FROM {area} GROUP BY day ORDER BY day DESC LIMIT 40"  # noqa: S608 - a line in a story
    return Round(
        text="First what the data says.",
        calls=(
            Call(name="mcp__postgres__query", input={"sql": sql}, result=query_rows(chance)),
            Call(
                name="mcp__postgres__describe_table",
                input={"table": area},
                result=f"{area}: day date not null, entries int, 1204512 rows",
            ),
        ),
    )


def _ask_github(chance: random.Random, _project: str, area: str) -> Round:
    number = chance.randint(200, 900)
    comments = "\n".join(
        f"> comment {index}: seen again on {area} in staging, build {chance.randint(4000, 5000)}" for index in range(1, 9)
    )
    return Round(
        calls=(
            Call(
                name="mcp__github__get_issue",
                input={"number": number},
                result=f"#{number} {area}: wrong totals\nopen, bug\n\n{comments}",
            ),
        )
    )


def _delegate(chance: random.Random, project: str, area: str) -> Round:
    task = f"Review the change in /work/{project}/src/{area}.py for defects. Report each with its line."
    report = f"Two findings in src/{area}.py: line {chance.randint(10, 40)} reads state outside the lock; line {chance.randint(41, 99)} swallows OSError."
    work = Delegation(
        agent_type="code-reviewer",
        task=task,
        rounds=(_look(chance, project, area), _search(chance, project, area)),
        report=report,
    )
    asked = {"description": f"Review {area}", "prompt": task, "subagent_type": "code-reviewer"}
    return Round(text="A second pair of eyes on this.", calls=(Call(name="Agent", input=asked, delegation=work),))


def _use_skill(chance: random.Random, _project: str, _area: str) -> Round:
    name = chance.choice(("release-notes", "sql-review", "docs:style"))
    return Round(calls=(Call(name="Skill", input={"skill": name}, result=f"Launching skill: {name}"),))


def _memory(project: str, areas: Sequence[str]) -> dict[str, str]:
    rules = "\n".join(f"- {area}: owned by the {area} group; ask before changing its tables." for area in areas)
    return {
        "/home/dev/.claude/CLAUDE.md": "Answer briefly. Prefer standard library over new dependencies. Never commit on main.",
        f"/work/{project}/CLAUDE.md": f"# {project}\n\nRun `make check` before every commit. Tests mirror the packages.\n\n## Areas\n{rules}\n\n"
        "## Conventions\n- Money is integer cents.\n- Times are UTC; names end in _utc.\n- Public functions have one-line docstrings.",
    }
