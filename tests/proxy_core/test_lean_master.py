import asyncio
import logging

from proxy_core.server import load_mitmproxy

load_mitmproxy()  # its dependencies warn on import, and warnings are errors here

import h2.connection  # noqa: E402
from mitmproxy import exceptions, hooks, http, options  # noqa: E402
from mitmproxy.proxy import mode_servers  # noqa: E402
from mitmproxy.proxy.layers.http import _http1  # noqa: E402

from proxy_core import lean_master  # noqa: E402
from proxy_core.lean_master import LeanMaster, lean_patches  # noqa: E402


def _patched() -> list[object]:
    owners = (mode_servers, http.MessageData, http.Headers, h2.connection, _http1.Http1Server, _http1.Http1Connection)
    names = ("ProxyConnectionHandler", "__post_init__", "get_all", "repr", "send", "read_body")
    return [vars(owner).get(name) for owner, name in zip(owners, names, strict=True)]


def test_patches_are_held_while_somebody_needs_them_and_then_gone() -> None:
    before = _patched()
    with lean_patches():
        inside = _patched()
        assert all(a is not b for a, b in zip(before, inside, strict=True))
        with lean_patches():
            assert _patched() == inside
        assert _patched() == inside
    assert _patched() == before


def test_header_lookups_answer_as_before() -> None:
    fields = [(b"A", b"1"), (b"b", b"x\xff"), (b"a", b"2"), (b"Empty", b"")]
    lookups = ["a", "A", "b", "B", "none", "empty", b"a"]
    stock = http.Headers(fields)
    expected = [(stock.get_all(name), stock.get(name), name in stock) for name in lookups]
    with lean_patches():
        lean = http.Headers(fields)
        assert [(lean.get_all(name), lean.get(name), name in lean) for name in lookups] == expected
        assert (7 in lean) is (7 in stock) is False
        for headers in (stock, lean):
            headers["A"] = "3"
            headers.add("B", "4")
            del headers["empty"]
        assert [(lean.get_all(name), lean.get(name, "-")) for name in lookups] == [
            (stock.get_all(name), stock.get(name, "-")) for name in lookups
        ]


class _Listener:
    def __init__(self, name: str, calls: list[str], error: Exception | None = None) -> None:
        self.name = name
        self._calls = calls
        self._error = error

    def running(self) -> None:
        self._calls.append(self.name)
        if self._error is not None:
            raise self._error


class _AsyncListener(_Listener):
    async def running(self) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self._calls.append(self.name)


async def test_listeners_are_called_in_order_and_one_that_fails_does_not_stop_the_others(caplog) -> None:
    calls: list[str] = []
    master = LeanMaster(options.Options())
    master._legacy_log_events.uninstall()
    addons = [_Listener("one", calls, ValueError("boom")), _AsyncListener("two", calls), _Listener("three", calls)]
    master.addons.add(*addons)
    with caplog.at_level(logging.ERROR):
        await master.addons.trigger_event(hooks.RunningHook())
    assert calls == ["one", "two", "three"]
    assert "boom" in caplog.text
    assert master.addons.sync_listeners("running") is None
    master.addons.remove(addons[1])
    assert len(master.addons.sync_listeners("running")) >= 2
    assert master.addons.sync_listeners("no_such_event") == []
    master.addons.clear()
    assert master.addons.listeners("running") == []


async def test_an_addon_may_halt_the_rest() -> None:
    calls: list[str] = []
    master = LeanMaster(options.Options())
    master._legacy_log_events.uninstall()
    master.addons.add(_Listener("one", calls, exceptions.AddonHalt()), _Listener("two", calls))
    await master.addons.trigger_event(hooks.RunningHook())
    assert calls == ["one"]


def test_a_lean_master_gets_lean_connections_and_a_stock_one_its_own() -> None:
    assert lean_master._stock_handler is mode_servers.ProxyConnectionHandler
    with lean_patches():
        assert mode_servers.ProxyConnectionHandler is lean_master._make_handler
