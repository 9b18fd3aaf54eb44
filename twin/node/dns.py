"""CoreDNS on the bridge: services, and the guide's own host names, which lead to the twin's stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import files
from twin.node import access
from twin.paths import BRIDGE_ADDRESS
from twin.processes import Process

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths

READY = "127.0.0.1:8181"
GUIDE_HOSTS = (
    "staging-db.supabase.co",
    "staging-redis.example.com",
    "staging.supabase.co",
    "api-staging.orka-ppm.example.com",
    "staging.orka-ppm.example.com",
    "api.openai.com",
)


def process(paths: Paths, coredns: Path) -> Process:
    """CoreDNS as a host process; pods ask it at the bridge's address."""
    login = access.kubeconfig(paths, "coredns")
    config = files.write(paths.config / "Corefile", corefile(login))
    return Process(
        name="coredns",
        argv=(str(coredns), "-conf", str(config)),
        ready=lambda: access.answers(paths, f"http://{READY}/ready"),
        files=(config, login),
    )


def corefile(login: Path) -> str:
    """Services by the kubernetes plugin, the guide's names by the hosts plugin, and nothing else.

    No question is passed on: what the twin does not know does not exist, at once and everywhere the same.
    """
    names = "\n".join(f"        {BRIDGE_ADDRESS} {name}" for name in GUIDE_HOSTS)
    return f"""cluster.local in-addr.arpa ip6.arpa {{
    bind {BRIDGE_ADDRESS}
    errors
    ready {READY}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {login}
        pods insecure
        ttl 5
    }}
}}
{" ".join(GUIDE_HOSTS)} {{
    bind {BRIDGE_ADDRESS}
    errors
    hosts {{
{names}
        ttl 60
    }}
}}
. {{
    bind {BRIDGE_ADDRESS}
    errors
    template ANY ANY . {{
        rcode NXDOMAIN
    }}
}}
"""
