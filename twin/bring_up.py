"""The steps of `twin up`, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import cluster, hand_tools, ownership, packages, services, stack_file
from twin.node import network
from twin.processes import Supervisor
from twin.steps import Step

if TYPE_CHECKING:
    from twin.paths import Paths


def steps(paths: Paths) -> list[Step]:
    """What has no owner yet gets one before anything is started; each step finds what is done already."""
    return [
        Step("Debian packages", packages.install),
        Step("record", lambda: f"twin {ownership.claim(paths).id[:8]} of {paths.checkout}"),
        Step("toolchain", lambda: hand_tools.toolchain(paths)),
        Step("network", network.ensure),
        *services.steps(paths),
        *cluster.steps(paths, Supervisor(paths)),
        *hand_tools.steps(paths),
        *stack_file.steps(paths),
        *services.steps_after_cluster(paths),
    ]
