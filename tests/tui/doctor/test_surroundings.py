"""The doctor names what sends a client past the proxy."""

import json
from pathlib import Path

import pytest

from tui.doctor.findings import Finding, Verdict
from tui.doctor.surroundings import check_base_url, check_clock, check_trust, check_variables, without_password
from tui.trust import open_own_authority

URL = "http://127.0.0.1:8080"


def verdicts(findings: "list[Finding]") -> list[Verdict]:
    return [finding.verdict for finding in findings]


def test_variables() -> None:
    assert verdicts(list(check_variables({"HTTPS_PROXY": URL}, URL))) == [Verdict.OK]
    assert verdicts(list(check_variables({}, URL))) == [Verdict.NOTE]
    assert verdicts(list(check_variables({"https_proxy": "http://other:1"}, URL))) == [Verdict.BAD]
    assert verdicts(list(check_variables({"HTTPS_PROXY": URL, "NO_PROXY": ".anthropic.com"}, URL))) == [Verdict.OK, Verdict.BAD]


def test_passwords_are_not_shown() -> None:
    finding = next(iter(check_variables({"HTTPS_PROXY": "http://me:secret@corp:1"}, URL)))
    assert "secret" not in finding.message
    assert without_password("me:secret@corp:1") == "[REDACTED]@corp:1"


def test_base_url_in_shell_and_settings(tmp_path: Path) -> None:
    assert list(check_base_url({}, tmp_path)) == []
    settings = tmp_path / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": "http://gateway", "HTTPS_PROXY": "http://other"}}))
    found = list(check_base_url({"ANTHROPIC_BASE_URL": "http://x"}, tmp_path))
    assert verdicts(found) == [Verdict.NOTE] * 3
    settings.write_text("[]")
    assert list(check_base_url({}, tmp_path)) == []
    settings.write_text('{"env": 1}')
    assert list(check_base_url({}, tmp_path)) == []


def test_trust(tmp_path: Path) -> None:
    authority = open_own_authority(tmp_path, {})
    certificate = authority.certificate_path
    foreign = tmp_path / "foreign.pem"
    foreign.write_text("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----")
    assert verdicts(list(check_trust({}, certificate))) == [Verdict.NOTE]
    assert verdicts(list(check_trust({"SSL_CERT_FILE": str(authority.bundle_path)}, certificate))) == [Verdict.OK]
    assert verdicts(list(check_trust({"NODE_EXTRA_CA_CERTS": str(foreign)}, certificate))) == [Verdict.NOTE]
    pointed = {"NODE_EXTRA_CA_CERTS": str(foreign), "HTTPS_PROXY": URL}
    assert verdicts(list(check_trust(pointed, certificate))) == [Verdict.BAD]
    assert list(check_trust({}, tmp_path / "none.pem")) == []


@pytest.mark.parametrize(("now_s", "verdict"), [(0.0, Verdict.BAD), (1_800_000_000.0, Verdict.OK), (None, Verdict.OK)])
def test_clock(now_s: float | None, verdict: Verdict) -> None:
    assert verdicts(list(check_clock(now_s))) == [verdict]
