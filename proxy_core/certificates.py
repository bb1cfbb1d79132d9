"""The root CA: where it is, how long it lives, and the certificates it signs.

Made once; the root is renewed before it expires with the same key and name, so that clients that trust the old
one go on working. Leaf certificates live in memory and are renewed while the proxy runs.
"""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proxy_core.errors import AuthorityError
from proxy_core.private_files import open_private_directory, read_or_create, replace

ROOT_DAYS = 3650
ROOT_RENEWAL_DAYS = 120
LEAF_DAYS = 90
LEAF_RENEWAL_DAYS = 7
BACKDATE_DAYS = 2
"""Certificates begin in the past: clients' clocks are not always right."""

_ROOT_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COMMON_NAME, "Assay local root"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Assay"),
    ]
)

type PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class LeafCertificate:
    """A server certificate and its key."""

    certificate: x509.Certificate
    private_key: PrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate followed by its key."""
        return self.certificate.public_bytes(serialization.Encoding.PEM) + _key_pem(self.private_key)


class Authority:
    """The root CA of one data directory. `open_authority` makes it.

    Args:
        directory: Holds its files; for the owner only.
        private_key: Signs.
        certificate: What clients trust.
        now: The clock.
    """

    def __init__(
        self,
        directory: Path,
        private_key: PrivateKey,
        certificate: x509.Certificate,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._directory = directory
        self._private_key = private_key
        self._certificate = certificate
        self.now = now
        """The clock its certificates go by."""
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())

    @property
    def certificate(self) -> x509.Certificate:
        """The root certificate."""
        return self._certificate

    @property
    def certificate_path(self) -> Path:
        """The root certificate alone (PEM): for clients that add it to their own store."""
        return self._directory / "ca-cert.pem"

    @property
    def bundle_path(self) -> Path:
        """Public roots and ours (PEM): for clients that replace their store."""
        return self._directory / "ca-bundle.pem"

    @property
    def fingerprint_sha256(self) -> str:
        """SHA-256 of the root certificate as tools print it: upper-case hex pairs with colons."""
        return self._certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def valid_from(self) -> dt.datetime:
        """Begin of the root's validity (UTC)."""
        return self._certificate.not_valid_before_utc

    @property
    def valid_until(self) -> dt.datetime:
        """End of the root's validity (UTC)."""
        return self._certificate.not_valid_after_utc

    def issue(self, names: Sequence[str]) -> LeafCertificate:
        """Sign a server certificate for DNS names and IP addresses, the first one being its common name."""
        return self.issue_for([_general_name(name) for name in names])

    def issue_for(self, names: Sequence[x509.GeneralName]) -> LeafCertificate:
        """Sign a server certificate; renews the root first when that is due."""
        self.renew_if_due()
        now = self.now()
        common_name = str(names[0].value) if names else ""
        has_subject = 0 < len(common_name) < 64
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if has_subject else [])
        identifier = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=BACKDATE_DAYS))
            .not_valid_after(min(now + dt.timedelta(days=LEAF_DAYS), self.valid_until))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=not has_subject)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self._private_key, hashes.SHA256())
        )
        return LeafCertificate(certificate, self._leaf_key)

    def server_context(self, names: Sequence[str], alpn: Sequence[str] = ("h2", "http/1.1")) -> ssl.SSLContext:
        """Return a TLS context for a server of ours under these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with TemporaryDirectory() as temporary:
            path = Path(temporary) / "leaf.pem"
            path.touch(mode=0o600)
            path.write_bytes(self.issue(names).pem)
            context.load_cert_chain(path)
        context.set_alpn_protocols(list(alpn))
        return context

    def renew_if_due(self) -> bool:
        """Sign the root anew, same key and name, when it nears its end; say whether that was done."""
        if self.valid_until - self.now() > dt.timedelta(days=ROOT_RENEWAL_DAYS):
            return False
        self._certificate = _sign_root(self._private_key, self.now())
        replace(self._directory / "ca.pem", _key_pem(self._private_key) + self._pem())
        self.write_public_files(())
        return True

    def write_public_files(self, extra_bundles: Iterable[Path]) -> None:
        """Write what clients are pointed to.

        Args:
            extra_bundles: PEM files whose roots are trusted as well (a company's, say); ones that are gone are left out.
        """
        replace(self.certificate_path, self._pem(), mode=0o644)
        replace(self.bundle_path, merged_bundle(extra_bundles) + self._pem(), mode=0o644)

    def _pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)


def open_authority(directory: Path, extra_bundles: Iterable[Path] = (), now: Callable[[], dt.datetime] = _now) -> Authority:
    """Open the root CA of a directory, making it when there is none and renewing it when it nears its end.

    Args:
        directory: Made with mode 0700.
        extra_bundles: PEM files whose roots go into `ca-bundle.pem` as well.
        now: The clock.

    Raises:
        AuthorityError: It cannot be read, is damaged, or cannot be written.
    """
    open_private_directory(directory)
    path = directory / "ca.pem"
    pem = read_or_create(path, lambda: _new_root(now()))
    try:
        private_key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise AuthorityError(f"{path} is damaged ({error}): remove it to have a new one made") from error
    if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise AuthorityError(f"{path} holds a key of a kind that is not supported: remove it to have a new one made")
    if private_key.public_key() != certificate.public_key():
        raise AuthorityError(f"{path} is damaged (key and certificate do not fit): remove it to have a new one made")
    authority = Authority(directory, private_key, certificate, now)
    authority.renew_if_due()
    authority.write_public_files(extra_bundles)
    return authority


def merged_bundle(extra_bundles: Iterable[Path]) -> bytes:
    """Return the public roots and those of other PEM files as one PEM text."""
    import certifi

    parts = [Path(certifi.where()).read_bytes()]
    parts += [path.read_bytes() for path in extra_bundles if path.is_file()]
    return b"\n".join(part.strip() for part in parts) + b"\n"


class LeafCache:
    """Leaf certificates by name, renewed before they expire.

    Args:
        authority: Signs, and tells the time.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._leaves: dict[tuple[str, ...], LeafCertificate] = {}

    def leaf_for(self, names: Sequence[x509.GeneralName]) -> LeafCertificate:
        """Return a certificate that is valid for days to come."""
        key = tuple(str(name.value) for name in names)
        leaf = self._leaves.get(key)
        if leaf is None or leaf.certificate.not_valid_after_utc - self._authority.now() < dt.timedelta(days=LEAF_RENEWAL_DAYS):
            if len(self._leaves) >= 1000:
                self._leaves.clear()
            leaf = self._leaves[key] = self._authority.issue_for(names)
        return leaf


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode())


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _new_root(now: dt.datetime) -> bytes:
    private_key = ec.generate_private_key(ec.SECP256R1())
    return _key_pem(private_key) + _sign_root(private_key, now).public_bytes(serialization.Encoding.PEM)


def _sign_root(private_key: PrivateKey, now: dt.datetime) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_ROOT_NAME)
        .issuer_name(_ROOT_NAME)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=BACKDATE_DAYS))
        .not_valid_after(now + dt.timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private_key.public_key()), critical=False)
        .sign(private_key, hashes.SHA256())
    )
