"""Real Claude Code does not notice that Assay is there. Runs where `ASSAY_CLAUDE_CODE` names its binary (docs/testing.md)."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import ExchangeState, Side
from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.server import StandinServer
from storage.database import open_database
from storage.store import Store
from tests.e2e import claude_code
from tests.e2e.product import ASSAY, towards
from tests.e2e.rig import running_rig

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not claude_code.BINARY, reason="ASSAY_CLAUDE_CODE names no Claude Code"),
]


@pytest.fixture
def settings_for():
    def settings(notes: Path) -> ApiSettings:
        scenario = claude_code.agent_scenario(notes)
        return ApiSettings(scenario=scenario, pace=Pace(event_s=0.002), content_encoding="auto")

    return settings


@pytest.fixture
def fresh(tmp_path):
    """Make the same home and project anew for each run: paths stand in the prompt."""

    def make() -> tuple[Path, Path]:
        directory = tmp_path / "run"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        return directory, claude_code.prepare(directory)

    return make


def test_an_agent_loop_with_tools_and_a_subagent_is_the_same(tmp_path, fresh, settings_for):
    directory, notes = fresh()
    with StandinServer(MessagesApi(settings_for(notes))) as direct:
        variables = {"HTTPS_PROXY": direct.proxy_url, "NODE_EXTRA_CA_CERTS": str(direct.ca_path)}
        expected = claude_code.run(directory, variables)
        sent = claude_code.comparable(direct.journal.requests)

    directory, notes = fresh()
    with running_rig(tmp_path / "ca", settings_for(notes)) as rig:
        variables = {"HTTPS_PROXY": rig.proxy_url, "NODE_EXTRA_CA_CERTS": str(rig.ca_path)}
        got = claude_code.run(directory, variables)
        captured = rig.collector.wait_for(len(rig.standin.journal.requests))
        seen = rig.standin.journal.requests

    assert (got.exit_code, got.stdout, got.stderr) == (0, expected.stdout, expected.stderr)
    assert "42" in got.stdout
    for ours, direct_one in zip(claude_code.comparable(seen), sent, strict=True):
        assert ours == direct_one
    classes = Counter(request.head.header("x-claude-code-request-class") for request in seen)
    assert classes["main"] >= 3
    assert classes["subagent"] >= 2
    assert {exchange.state for exchange in captured} == {ExchangeState.COMPLETE}
    hashes = Counter(exchange.request_body.wire_sha256 for exchange in captured)
    assert hashes == Counter(request.body_sha256 for request in seen)


def test_assay_run_keeps_its_output_and_stores_every_exchange(tmp_path, fresh, settings_for):
    directory, notes = fresh()
    with StandinServer(MessagesApi(settings_for(notes))) as direct:
        variables = {"HTTPS_PROXY": direct.proxy_url, "NODE_EXTRA_CA_CERTS": str(direct.ca_path)}
        expected = claude_code.run(directory, variables)

    directory, notes = fresh()
    database = tmp_path / "assay.db"
    with StandinServer(MessagesApi(settings_for(notes))) as standin:
        options = ["run", "--quiet", "--data-dir", str(tmp_path / "data"), "--database", str(database), *towards(standin), "--"]
        got = claude_code.run(directory, {}, before=[str(ASSAY), *options])
        seen = Counter((request.head.method, request.body) for request in standin.journal.requests)

    assert (got.exit_code, got.stdout) == (0, expected.stdout), got.stderr
    opened = open_database(database)
    try:
        store = Store(opened)
        exchanges = store.exchanges.page(500)
        stored = Counter((each.method, store.exchanges.body(each.id, Side.REQUEST) or b"") for each in exchanges)
        main = [each for each in exchanges if each.request_class is RequestClass.MAIN]
        agents = {each.agent_id for each in exchanges if each.request_class is RequestClass.SUBAGENT}
    finally:
        opened.close()
    assert stored == seen
    assert len(main) == 3
    assert len(agents) == 1
    assert {each.client_version for each in main} == {"2.1.330"}
