"""Who may talk to whom across the namespace's border, by namespace and by address."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from model.settings_base import DnsLabel, HostName, Port, Strict

PRIVATE_V4 = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
PRIVATE = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
)


def _range(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        message = "expected a range of addresses like 203.0.113.0/24, its host bits zero"
        raise ValueError(message) from None


Cidr = Annotated[str, AfterValidator(_range)]


class Peers(Strict):
    """Pods of other namespaces, by the namespace's name, and addresses."""

    namespaces: tuple[DnsLabel, ...] = ()
    cidrs: tuple[Cidr, ...] = ()

    @model_validator(mode="after")
    def _someone(self) -> Self:
        if not self.namespaces and not self.cidrs:
            message = "names nobody: give `namespaces`, or `cidrs` where it runs on the nodes themselves"
            raise ValueError(message)
        return self


class Addresses(Strict):
    """Where a service is whose port its URL says; without `cidrs` anywhere outside the cluster."""

    cidrs: tuple[Cidr, ...] = ()


class Destination(Addresses):
    """The same for a service without a URL among the settings."""

    port: Port = 443


class ApiServer(Addresses):
    """The API server, as pods meet it behind its Service: at the address and the port it listens on itself.

    Clusters made by hand have it at 6443, those of a provider at 443; without `port` both are open.
    """

    cidrs: tuple[Cidr, ...] = PRIVATE_V4
    port: Port | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """All that are open."""
        return (6443, 443) if self.port is None else (self.port,)


class Further(Destination):
    """What backend and jobs may call besides; its hosts may be named in their variables."""

    hosts: tuple[HostName, ...] = ()


class Network(Strict):
    """Everything that crosses the border; what is not named is denied, in both directions."""

    edge: Peers = Peers(namespaces=("ingress-nginx",))
    dns: Peers = Peers(namespaces=("kube-system",))
    cluster_cidrs: tuple[Cidr, ...] = PRIVATE
    database: Destination = Destination(port=5432)
    redis: Addresses = Addresses()
    supabase: Addresses = Addresses()
    openai: Addresses = Addresses()
    kubernetes: ApiServer = ApiServer()
    """For who counts pods and jobs."""
    public: Addresses = Addresses()
    """Our own two hosts, as the world reaches them."""
    alerts: Destination = Destination()
    """Slack, PagerDuty, and who is told that alerting lives."""
    further: dict[DnsLabel, Further] = Field(default_factory=dict)
