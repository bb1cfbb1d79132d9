"""Without bodies nothing of what was said stays on disk; sources, tokens and costs do."""

from dataclasses import replace
from pathlib import Path

from proxy_core.exchange import Side
from storage.reanalysis import reanalyze
from tests.tui.live_rig import BODY, ask, settings_for, standin
from tui.runtime import Runtime

PLANTED = b"zanzibar-marmalade"


def test_the_ledger_stays_and_the_text_goes(tmp_path: Path) -> None:
    with standin() as api:
        settings = replace(settings_for(tmp_path, api), bodies=False)
        with Runtime(settings, environ={}) as runtime:
            for number in range(3):
                assert ask(runtime, BODY.replace(b"Why does", PLANTED * 40 + b" %d" % number)).status == 200
            runtime.drain()
            store = runtime.store
            exchange = store.exchanges.page()[0]
            detail = store.exchanges.detail(exchange.id)
            assert store.exchanges.body(exchange.id, Side.REQUEST) is None
            assert store.exchanges.body(exchange.id, Side.RESPONSE) is None
    assert detail is not None
    assert detail.ledger is not None
    assert exchange.title is None
    assert exchange.cost_nano_usd
    assert not detail.request_body.is_kept
    assert detail.request_body.wire_bytes > 40 * len(PLANTED)
    billed = detail.ledger.usage.total_input_tokens
    assert sum(line.tokens for line in detail.ledger.lines if line.zone.value != "output") == billed
    assert {segment.text for segment in detail.segments} == {""}
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert PLANTED not in path.read_bytes(), path


def test_reanalysing_leaves_what_has_no_text_alone(tmp_path: Path) -> None:
    with standin() as api, Runtime(replace(settings_for(tmp_path, api), bodies=False), environ={}) as runtime:
        ask(runtime)
        runtime.drain()
        before = runtime.store.exchanges.page()
        assert reanalyze(runtime.store.database, is_forced=True) == (0, 0)
        assert runtime.store.exchanges.page() == before
