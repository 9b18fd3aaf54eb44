"""The twin's own certificate authority: made once, kept in `.twin/pki`, trusted by nothing but the twin.

Keys are ECDSA P-256. Everything is valid for ten years, because a twin is thrown away long before.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twin import files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from twin.paths import Paths

VALIDITY = dt.timedelta(days=3650)
# A clock set back a little must not make a new certificate "not yet valid".
BACKDATED = dt.timedelta(days=1)
WORLD_READABLE = 0o644
_USAGES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
}


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and of its key; the key is readable by its owner only."""

    certificate: Path
    key: Path


def authority(paths: Paths) -> Path:
    """The certificate of the authority (PEM); made, with its key, when there is none."""
    if not (paths.ca.exists() and _ca_key(paths).exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("orka-twin")
        builder = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        # The certificate comes last: it stands for "the pair is complete".
        paths.ca.unlink(missing_ok=True)
        files.write(_ca_key(paths), _key_pem(key))
        files.write(paths.ca, _pem(builder.sign(key, hashes.SHA256())), WORLD_READABLE)
    return paths.ca


def issue(
    paths: Paths,
    name: str,
    *,
    common_name: str,
    organization: str = "",
    names: Sequence[str] = (),
    usages: Sequence[str] = ("server",),
) -> Pair:
    """A certificate of the authority; kept while it says the same, made anew when asked for another.

    Args:
        paths: the twin's folders.
        name: of the files `.twin/pki/NAME.crt` and `NAME.key`.
        common_name: the subject; to Kubernetes, the user.
        organization: to Kubernetes, the user's group.
        names: host names and IP addresses that it is valid for.
        usages: "server", "client" or both.
    """
    issuer = x509.load_pem_x509_certificate(authority(paths).read_bytes())
    issuer_key = serialization.load_pem_private_key(_ca_key(paths).read_bytes(), password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{_ca_key(paths)} is not an EC key: run `twin reset`")
    certificate_file, key_file = paths.pki / f"{name}.crt", paths.pki / f"{name}.key"
    subject = _name(common_name, organization)
    alternatives = [_alternative(entry) for entry in names]
    wanted_usages = [_USAGES[usage] for usage in usages]
    if key_file.exists() and certificate_file.exists():
        present = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        if _says(present, issuer, subject, alternatives, wanted_usages):
            return Pair(certificate_file, key_file)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(subject, issuer.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(wanted_usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate_file.unlink(missing_ok=True)
    files.write(key_file, _key_pem(key))
    files.write(certificate_file, _pem(builder.sign(issuer_key, hashes.SHA256())), WORLD_READABLE)
    return Pair(certificate_file, key_file)


def serving(paths: Paths, name: str, hosts: Sequence[str], addresses: Sequence[str] = ()) -> Pair:
    """A server's certificate for these host names and IP addresses, in `.twin/pki/NAME.crt`."""
    return issue(paths, name, common_name=hosts[0], names=(*hosts, *addresses))


def signing_key(paths: Paths, name: str) -> tuple[Path, Path]:
    """A bare key pair (public, private), made once: what service account tokens are signed with."""
    public, private = paths.pki / f"{name}.pub", paths.pki / f"{name}.key"
    if not (public.exists() and private.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        public.unlink(missing_ok=True)
        files.write(private, _key_pem(key))
        pem = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        files.write(public, pem.decode(), WORLD_READABLE)
    return public, private


def _says(
    present: x509.Certificate,
    issuer: x509.Certificate,
    subject: x509.Name,
    alternatives: list[x509.GeneralName],
    usages: list[x509.ObjectIdentifier],
) -> bool:
    """Whether a certificate is of this authority and for exactly this."""
    try:
        present.verify_directly_issued_by(issuer)
        has_usages = list(present.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the answer is to make a new one
        return False
    try:
        has_names = list(present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        has_names = []
    return present.subject == subject and has_names == alternatives and has_usages == usages


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALIDITY)
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _alternative(entry: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(entry))
    except ValueError:
        return x509.DNSName(entry)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    # The traditional form: the Kubernetes programs read service account keys in it without ado.
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def _ca_key(paths: Paths) -> Path:
    return paths.pki / "ca.key"
