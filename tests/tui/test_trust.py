"""Our authority is private; the bundle takes no trust away."""

import stat
from pathlib import Path

import pytest

from tui.errors import AuthorityError
from tui.trust import authority_directory, extra_bundles, open_own_authority

PEM = "-----BEGIN CERTIFICATE-----\nY29ycA==\n-----END CERTIFICATE-----\n"


def test_made_private_and_opened_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    first = open_own_authority(data_dir, {})
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(authority_directory(data_dir).stat().st_mode) == 0o700
    assert stat.S_IMODE((authority_directory(data_dir) / "ca.pem").stat().st_mode) == 0o600
    assert open_own_authority(data_dir, {}).fingerprint_sha256 == first.fingerprint_sha256


def test_a_directory_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    data_dir = tmp_path / "shared"
    data_dir.mkdir()
    data_dir.chmod(0o755)
    open_own_authority(data_dir, {})
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o755


def test_what_the_user_trusted_is_in_the_bundle_once(tmp_path: Path) -> None:
    corporate = tmp_path / "corp.pem"
    corporate.write_text(PEM)
    environ = {"SSL_CERT_FILE": str(corporate), "NODE_EXTRA_CA_CERTS": str(corporate)}
    authority = open_own_authority(tmp_path / "data", environ)
    assert authority.bundle_path.read_text().count("Y29ycA==") == 1
    assert extra_bundles(tmp_path / "data", environ) == (corporate,)


def test_our_own_bundle_is_not_merged_into_itself(tmp_path: Path) -> None:
    authority = open_own_authority(tmp_path, {})
    size = authority.bundle_path.stat().st_size
    again = open_own_authority(tmp_path, {"SSL_CERT_FILE": str(authority.bundle_path)})
    assert again.bundle_path.stat().st_size == size


def test_extra_certificates_outlive_a_nested_environment(tmp_path: Path) -> None:
    corporate = tmp_path / "corp.pem"
    corporate.write_text(PEM)
    inside = {"SSL_CERT_FILE": str(authority_directory(tmp_path) / "ca-bundle.pem"), "ASSAY_EXTRA_CA": str(corporate)}
    assert extra_bundles(tmp_path, inside) == (corporate,)


def test_damage_is_reported_with_an_exit_code(tmp_path: Path) -> None:
    open_own_authority(tmp_path, {})
    (authority_directory(tmp_path) / "ca.pem").write_text("broken")
    with pytest.raises(AuthorityError, match="damaged") as caught:
        open_own_authority(tmp_path, {})
    assert caught.value.exit_code == 4


def test_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuthorityError, match="data directory"):
        open_own_authority(tmp_path / "file" / "below", {})
