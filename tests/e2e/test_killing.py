"""Killed with -9 at random moments under load: everything promised is there, the rest is called interrupted."""

import pytest

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.server import StandinServer
from tests.e2e.killing import kill_often


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_nothing_promised_is_lost(tmp_path, kills):
    with StandinServer(MessagesApi(ApiSettings(pace=Pace(event_s=0.01), content_encoding="auto"))) as standin:
        toll = kill_often(tmp_path / "home", standin, kills=kills, seed=kills)
    assert toll.answered > kills
    assert (toll.lost, toll.open_left, toll.verify_output) == ({}, 0, "")
    assert toll.interrupted > 0 or kills < 10, "few kills may all fall between two requests"
