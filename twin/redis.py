"""The twin's Redis: Debian's server on the bridge's address, with a password, as a hosted one has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import redis
from redis.exceptions import RedisError

from twin import files, secrets
from twin.paths import BRIDGE_ADDRESS
from twin.processes import Process
from twin.steps import Step

if TYPE_CHECKING:
    from twin.paths import Paths
    from twin.processes import Supervisor

PORT = 6379
TIMEOUT_S = 3


def url() -> str:
    """REDIS_URL without the password, which is a variable of its own."""
    return f"redis://{BRIDGE_ADDRESS}:{PORT}"


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """One step: Redis runs and lets its password in."""
    return [Step("Redis", lambda: supervisor.ensure(_process(paths)))]


def _process(paths: Paths) -> Process:
    password = secrets.of(paths).redis_password
    folder = paths.data / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    lines = (
        f"bind {BRIDGE_ADDRESS}",
        f"port {PORT}",
        f"dir {json.dumps(str(folder))}",
        f"requirepass {password}",
        "daemonize no",
        'save ""',  # a cache: nothing of it has to survive
        "appendonly no",
        "maxmemory 128mb",
        "maxmemory-policy allkeys-lru",
        "",
    )
    config = files.write(paths.config / "redis.conf", "\n".join(lines))
    return Process(
        name="redis",
        argv=("redis-server", str(config)),
        ready=lambda: _answers(password),
        files=(config,),
    )


def _answers(password: str) -> bool:
    asked = redis.Redis(host=BRIDGE_ADDRESS, port=PORT, password=password, socket_timeout=TIMEOUT_S)
    try:
        return bool(asked.ping())
    except RedisError as error:
        raise OSError(str(error)) from error
    finally:
        asked.close()
