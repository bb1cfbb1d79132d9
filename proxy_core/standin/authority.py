"""A throw-away certificate authority for the stand-in; its key lives in memory and in one private directory, for minutes.

It must never be one that anybody's system trusts, which is why it is made anew each time.
"""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

API_HOST = "api.anthropic.com"
_VALID_FOR = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class ThrowAwayAuthority:
    """A root certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The root certificate, for a client's or a proxy's trust store."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, names: tuple[str, ...], *, is_expired: bool = False) -> bytes:
        """Return PEM of a new key and a server certificate for `names`, the root appended."""
        key = ec.generate_private_key(ec.SECP256R1())
        age = _VALID_FOR * 2 if is_expired else dt.timedelta(0)
        builder = _builder(names[0], self.certificate.subject, key, age)
        builder = (
            builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        leaf = builder.sign(self.key, hashes.SHA256())
        key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key_pem + leaf.public_bytes(serialization.Encoding.PEM) + self.certificate_pem


def make_authority() -> ThrowAwayAuthority:
    """Make a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Assay stand-in, throw-away")])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder("Assay stand-in, throw-away", name, key, dt.timedelta(0))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return ThrowAwayAuthority(builder.sign(key, hashes.SHA256()), key)


def server_context(pem_path: Path, *, protocols: tuple[str, ...] = ("h2", "http/1.1")) -> ssl.SSLContext:
    """Return a server's TLS context from a file with key and chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem_path)
    context.set_alpn_protocols(list(protocols))
    return context


def _builder(
    common_name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: dt.timedelta
) -> x509.CertificateBuilder:
    start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1) - age
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID_FOR)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
