"""The services around the cluster, in the order in which they need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import application, database, docker, edge, images, redis, registry
from twin.paths import default
from twin.processes import Supervisor
from twin.standins import services as standins

if TYPE_CHECKING:
    from twin.paths import Paths
    from twin.steps import Step


def steps(paths: Paths | None = None) -> list[Step]:
    """What does not need the cluster: images and the hosted services. The bridge is there already."""
    where = paths or default()
    supervisor = Supervisor(where)
    return [
        *registry.steps(where, supervisor),
        *docker.steps(where, supervisor),
        *images.steps(where),
        *application.steps(where),
        *database.steps(where, supervisor),
        *redis.steps(where, supervisor),
        *standins.steps(where, supervisor),
    ]


def steps_after_cluster(paths: Paths | None = None) -> list[Step]:
    """What watches the cluster."""
    where = paths or default()
    return edge.steps(where, Supervisor(where))
