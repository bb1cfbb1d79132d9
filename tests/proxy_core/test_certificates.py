import datetime as dt
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from proxy_core.certificates import LeafCache, open_authority
from proxy_core.errors import AuthorityError


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_root_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "ca"
    first, second = open_authority(directory), open_authority(directory)
    assert first.certificate == second.certificate
    assert _mode(directory) == 0o700
    assert _mode(directory / "ca.pem") == 0o600
    assert b"PRIVATE KEY" not in first.certificate_path.read_bytes()
    assert first.fingerprint_sha256.count(":") == 31
    assert first.valid_until - first.valid_from > dt.timedelta(days=3650)


def test_permissions_that_are_too_open_are_closed(tmp_path: Path) -> None:
    open_authority(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / "ca.pem").chmod(0o644)
    open_authority(tmp_path)
    assert _mode(tmp_path) == 0o700
    assert _mode(tmp_path / "ca.pem") == 0o600


def test_the_bundle_holds_the_public_roots_ours_and_a_companys(tmp_path: Path) -> None:
    company = open_authority(tmp_path / "company")
    authority = open_authority(tmp_path / "ca", [company.certificate_path, tmp_path / "gone.pem"])
    bundle = authority.bundle_path.read_bytes()
    assert company.certificate.public_bytes(serialization.Encoding.PEM) in bundle
    assert authority.certificate.public_bytes(serialization.Encoding.PEM) in bundle
    assert bundle.count(b"BEGIN CERTIFICATE") > 100
    ssl.create_default_context(cafile=str(authority.bundle_path))


def test_a_server_certificate_is_accepted_by_a_strict_client(tmp_path: Path) -> None:
    authority = open_authority(tmp_path)
    server_side, client_side = socket.socketpair()
    server_context = authority.server_context(["localhost", "127.0.0.1"])

    def serve() -> None:
        with server_context.wrap_socket(server_side, server_side=True) as wrapped:
            wrapped.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(cafile=str(authority.certificate_path))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with context.wrap_socket(client_side, server_hostname="localhost") as client:
        assert client.recv(10) == b"hello"
    thread.join()


def test_leaves_are_cached_and_renewed_before_they_expire(tmp_path: Path) -> None:
    authority = open_authority(tmp_path)
    cache = LeafCache(authority)
    names = [x509.DNSName("api.anthropic.com")]
    first = cache.leaf_for(names)
    assert cache.leaf_for(names) is first
    assert cache.leaf_for([x509.DNSName("claude.ai")]) is not first
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=84)
    authority.now = lambda: later
    second = cache.leaf_for(names)
    assert second is not first
    assert second.certificate.not_valid_after_utc > first.certificate.not_valid_after_utc


def test_the_cache_does_not_grow_without_end(tmp_path: Path) -> None:
    cache = LeafCache(open_authority(tmp_path))
    first = cache.leaf_for([x509.DNSName("h0")])
    for number in range(1, 1001):
        cache.leaf_for([x509.DNSName(f"h{number}")])
    assert cache.leaf_for([x509.DNSName("h0")]) is not first


def test_a_root_near_its_end_is_renewed_with_the_same_key_and_name(tmp_path: Path) -> None:
    old = open_authority(tmp_path)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3600)
    new = open_authority(tmp_path, now=lambda: later)
    assert new.certificate.public_key() == old.certificate.public_key()
    assert new.certificate.subject == old.certificate.subject
    assert new.valid_until > old.valid_until
    assert x509.load_pem_x509_certificate(new.certificate_path.read_bytes()) == new.certificate
    assert open_authority(tmp_path, now=lambda: later).certificate == new.certificate


def test_a_root_is_renewed_while_the_proxy_runs(tmp_path: Path) -> None:
    authority = open_authority(tmp_path)
    before = authority.certificate
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3640)
    authority.now = lambda: later
    leaf = authority.issue(["localhost"])
    assert authority.certificate != before
    leaf.certificate.verify_directly_issued_by(authority.certificate)
    assert leaf.certificate.not_valid_after_utc <= authority.valid_until


def test_names_that_are_addresses_international_or_very_long(tmp_path: Path) -> None:
    authority = open_authority(tmp_path)
    long_name = "a" * 60 + ".example.com"
    for name in ("127.0.0.1", "::1", "bücher.example", long_name):
        leaf = authority.issue([name]).certificate
        assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert authority.issue_for([]).certificate.subject == x509.Name([])


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_damaged_root_is_told(tmp_path: Path, content: bytes) -> None:
    open_authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(AuthorityError, match="damaged"):
        open_authority(tmp_path)


def test_a_key_that_does_not_fit_or_is_of_another_kind_is_told(tmp_path: Path) -> None:
    open_authority(tmp_path)
    path = tmp_path / "ca.pem"
    certificate = path.read_bytes().partition(b"-----BEGIN CERTIFICATE")[2]
    for key in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(pem + b"-----BEGIN CERTIFICATE" + certificate)
        with pytest.raises(AuthorityError, match=r"ca\.pem"):
            open_authority(tmp_path)
