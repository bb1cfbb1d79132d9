"""The settings of the API refuse what would open it to others."""

import pytest

from storage.api.settings import ApiSettings, UnsafeSettingsError


def test_the_defaults_are_loopback_with_a_token():
    settings = ApiSettings(token="t" * 20)
    assert (settings.host, settings.port, settings.is_loopback, settings.warning) == ("127.0.0.1", 3001, True, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])
def test_others_need_the_token_and_are_warned_of(host):
    with pytest.raises(UnsafeSettingsError, match="needs the token"):
        ApiSettings(token=None, host=host)
    warning = ApiSettings(token="t" * 20, host=host).warning
    assert warning is not None
    assert "other machines" in warning


@pytest.mark.parametrize("host", ["127.0.0.1", "127.5.5.5", "::1", "localhost"])
def test_loopback_may_go_without_and_is_warned_of(host):
    warning = ApiSettings(token=None, host=host).warning
    assert warning is not None
    assert "no token" in warning


def test_names_that_are_ours():
    assert ApiSettings(token="t" * 20, host="0.0.0.0").host_names == {"localhost", "127.0.0.1", "::1"}
    named = ApiSettings(token="t" * 20, host="10.0.0.5", allowed_hosts=("Assay.internal",))
    assert {"10.0.0.5", "assay.internal"} <= named.host_names
