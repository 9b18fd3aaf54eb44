"""The twin's authority: what it signs is valid for what was asked, and made anew only when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twin import certificates
from twin.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(checkout=tmp_path, data=tmp_path / ".twin", state=tmp_path / "state", run=tmp_path / "run")


def load(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def test_a_server_certificate_is_of_the_authority_and_for_its_names(paths: Paths) -> None:
    pair = certificates.serving(paths, "edge", ("a.example.com", "b.example.com"), ("10.244.0.1",))
    made = load(pair.certificate)
    made.verify_directly_issued_by(load(paths.ca))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example.com", "b.example.com"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.244.0.1"]
    usages = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_keys_are_readable_by_their_owner_only(paths: Paths) -> None:
    pair = certificates.serving(paths, "edge", ("a.example.com",))
    keys = [pair.key, paths.pki / "ca.key", certificates.signing_key(paths, "tokens")[1]]
    assert [oct(key.stat().st_mode & 0o777) for key in keys] == ["0o600"] * 3


def test_the_same_request_twice_gives_the_same_certificate(paths: Paths) -> None:
    first = certificates.serving(paths, "edge", ("a.example.com",)).certificate.read_bytes()
    assert certificates.serving(paths, "edge", ("a.example.com",)).certificate.read_bytes() == first


def test_another_name_or_another_authority_gives_another_certificate(paths: Paths) -> None:
    first = certificates.serving(paths, "edge", ("a.example.com",)).certificate.read_bytes()
    second = certificates.serving(paths, "edge", ("b.example.com",)).certificate.read_bytes()
    assert first != second
    (paths.pki / "ca.key").unlink()
    certificates.serving(paths, "edge", ("b.example.com",))
    load(paths.pki / "edge.crt").verify_directly_issued_by(load(paths.ca))


def test_a_client_certificate_names_user_and_group_as_kubernetes_reads_them(paths: Paths) -> None:
    pair = certificates.issue(
        paths, "node", common_name="system:node:n", organization="system:nodes", usages=("client",)
    )
    subject = load(pair.certificate).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:n"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"
