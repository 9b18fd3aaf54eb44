"""The services around the cluster, in the order in which they need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import application, database, docker, edge, images, redis, registry
from twin.processes import Supervisor
from twin.standins import services as standins

if TYPE_CHECKING:
    from twin.paths import Paths
    from twin.steps import Step


def steps(paths: Paths) -> list[Step]:
    """What does not need the cluster: images and the hosted services. The bridge is there already."""
    supervisor = Supervisor(paths)
    return [
        *registry.steps(paths, supervisor),
        *docker.steps(paths, supervisor),
        *images.steps(paths),
        *application.steps(paths),
        *database.steps(paths, supervisor),
        *redis.steps(paths, supervisor),
        *standins.steps(paths, supervisor),
    ]


def steps_after_cluster(paths: Paths) -> list[Step]:
    """What watches the cluster."""
    return edge.steps(paths, Supervisor(paths))
