"""The document names every path, and none that is not there."""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_every_path_is_in_the_document():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    document = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    served = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    named = {
        (method, path.replace("{id}", "{request_id}"))
        for method, path in re.findall(r"^\| ([A-Z]+) `(\S+)`", text, re.MULTILINE)
    }
    named = {(method, path.replace("responses/{request_id}", "responses/{response_id}")) for method, path in named}
    assert named == served


def test_every_status_is_in_the_document():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    document = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    statuses = {status for path in document["paths"].values() for one in path.values() for status in one["responses"]}
    named = set(re.findall(r"^\| (\d{3}) \|", text, re.MULTILINE))
    assert named == {status for status in statuses if status >= "400"} | {"405", "408"}
