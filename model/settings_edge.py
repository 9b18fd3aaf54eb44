"""How the world reaches the stack: hosts, certificates, DNS, what the ingress controller is asked for."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field

from model.settings_base import DnsLabel, HostName, Strict, Text

Address = Annotated[
    str,
    Text(r"[0-9a-fA-F:.]+|[a-z0-9.-]+", "expected the ingress controller's IP address or host name"),
]


class Tls(Strict):
    """Where the certificate comes from: a Secret in the namespace, or a cert-manager issuer."""

    secret_name: DnsLabel = "staging-tls"  # noqa: S105 - the name of a Secret
    cluster_issuer: DnsLabel | None = None


class Edge(Strict):
    """How the two hosts are reached."""

    api_host: HostName
    frontend_host: HostName | None = None
    """Not needed for a frontend that is hosted elsewhere."""
    ingress_class: DnsLabel
    controller: Literal["ingress-nginx", "other"] = "ingress-nginx"
    """Whose annotations ask for the redirect to HTTPS and for CORS; `other` gets `annotations` alone."""
    tls: Tls = Tls()
    address: Address | None = None
    external_dns: bool = False
    annotations: dict[str, str] = Field(default_factory=dict)


def record_type(address: str) -> str:
    """The type of the DNS record that leads to an address."""
    try:
        return {4: "A", 6: "AAAA"}[ip_address(address).version]
    except ValueError:
        return "CNAME"
