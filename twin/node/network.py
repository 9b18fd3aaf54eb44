"""The node's network: one bridge that host and pods share, and the two chains that guard it.

The bridge exists before anything listens on its address; the CNI plugin finds it and adds pods to it.
"""

from __future__ import annotations

import json
from pathlib import Path

from twin import commands
from twin.paths import BRIDGE, BRIDGE_ADDRESS, POD_CIDR, SERVICE_CIDR

BRIDGE_NETFILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
CNI_NETWORK = "orka-twin"
FORWARD_CHAIN = "ORKA-TWIN-FORWARD"
INPUT_CHAIN = "ORKA-TWIN-INPUT"
# The API server listens on every address, as it can only listen on one or on all: nobody outside gets in.
GUARDED_PORTS = "6443"


def ensure() -> str:
    """Have the bridge, its address, the way to services, forwarding and the chains."""
    fresh = not commands.succeeds(["ip", "link", "show", BRIDGE])
    if fresh:
        commands.run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    commands.run(["ip", "addr", "replace", f"{BRIDGE_ADDRESS}/{POD_CIDR.partition('/')[2]}", "dev", BRIDGE])
    commands.run(["ip", "link", "set", BRIDGE, "up"])
    # So that the host reaches services although it may have no default route at all.
    commands.run(["ip", "route", "replace", SERVICE_CIDR, "dev", BRIDGE, "src", BRIDGE_ADDRESS])
    IP_FORWARD.write_text("1")
    if not BRIDGE_NETFILTER.exists():
        commands.succeeds(["modprobe", "br_netfilter"])
    if BRIDGE_NETFILTER.exists():
        BRIDGE_NETFILTER.write_text("1")
    _chain(FORWARD_CHAIN, "FORWARD", [["-i", BRIDGE, "-j", "ACCEPT"], ["-o", BRIDGE, "-j", "ACCEPT"]])
    _chain(
        INPUT_CHAIN,
        "INPUT",
        [
            ["-i", "lo", "-j", "RETURN"],
            ["-i", BRIDGE, "-j", "RETURN"],
            ["-p", "tcp", "--dport", GUARDED_PORTS, "-j", "DROP"],
        ],
    )
    return f"{BRIDGE} {'made' if fresh else 'there'}, {BRIDGE_ADDRESS}"


def bridged_traffic_is_filtered() -> bool:
    """Whether iptables sees what one pod sends to another; service addresses between pods hang on it."""
    return BRIDGE_NETFILTER.exists()


def cni_configuration(ipam_folder: Path) -> str:
    """The CNI list: bridge and host-local addresses.

    No masquerading: what a pod needs is on the bridge, and nothing it does shall reach the outside.
    """
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(ipam_folder),
            "ranges": [[{"subnet": POD_CIDR, "rangeStart": "10.244.0.10", "gateway": BRIDGE_ADDRESS}]],
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": CNI_NETWORK, "plugins": [bridge]}, indent=1) + "\n"


def _chain(name: str, parent: str, rules: list[list[str]]) -> None:
    """Have the chain with exactly these rules, jumped to first from its parent."""
    if not commands.succeeds(["iptables", "-w", "5", "-n", "-L", name]):
        commands.run(["iptables", "-w", "5", "-N", name])
    present = commands.run(["iptables", "-w", "5", "-S", name]).count(f"-A {name} ")
    if present != len(rules):
        commands.run(["iptables", "-w", "5", "-F", name])
        for rule in rules:
            commands.run(["iptables", "-w", "5", "-A", name, *rule])
    if not commands.succeeds(["iptables", "-w", "5", "-C", parent, "-j", name]):
        commands.run(["iptables", "-w", "5", "-I", parent, "1", "-j", name])
