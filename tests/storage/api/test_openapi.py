"""The checked-in document is current, and the API keeps what it says (schemathesis, all checks)."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from storage.api.openapi import render

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "openapi.json"


def test_the_document_is_current():
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: python -m storage.api.openapi docs/openapi.json"


def test_every_operation_is_described_and_wants_the_token():
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            assert operation["security"] == ([] if path == "/healthz" else [{"token": []}]), path
            assert "422" not in operation["responses"], path
            assert {"400", "403"} <= set(operation["responses"]), path


def test_every_json_answer_has_an_example():
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if status.startswith("2") and content is not None:
                    assert content["examples"]["typical"]["value"], path


def test_every_example_is_what_the_types_say():
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if status.startswith("2") and content is not None:
                    example = content["examples"]["typical"]["value"]
                    jsonschema.validate(example, {**content["schema"], "components": document["components"]})
                    name = content["schema"]["$ref"].rpartition("/")[2]
                    assert set(example) == set(document["components"]["schemas"][name]["properties"]), name


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_schemathesis_finds_nothing(api, known, tmp_path):
    """All checks over the document, examples, generated and stateful; the hooks say what an id and a filter line look like."""
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": str(Path(__file__).parent / "schemathesis_hooks.py"),
        "ASSAY_TEST_IDS": f"{known.main},{known.subagent},{known.failed}",
        "PYTHONPATH": str(ROOT),
    }
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{api.url}/openapi.json"]
    options = ["--checks=all", "--phases=examples,coverage,fuzzing,stateful", "--max-examples=8", "--seed=7", "--no-color"]
    header = ["-H", "Authorization: Bearer token-of-the-tests-0123456789"]
    run = subprocess.run(
        [*command, *options, *header], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert re.search(r"[1-9]\d{2,} generated, [1-9]\d{2,} passed", run.stdout), run.stdout[-2000:]


def test_what_serves_does_not_import_who_writes_the_document():
    """Routes say how they fail, the description reads the routes, the file is written from outside: no circle."""
    code = "import sys, storage.api.server; print('storage.api.openapi' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    assert run.stdout == "False\n"
