"""What an image asks of its pod: port, command, probes, user, paths it writes to, names of its variables."""

from __future__ import annotations

from posixpath import normpath
from typing import Annotated

from pydantic import AfterValidator, Field

from model.secrets import SECRETS
from model.settings_base import Path, Port, Seconds, Strict, VariableName

Uid = Annotated[int, Field(ge=10_000, le=2_000_000_000)]
"""Above every user that a node has: one that escapes from its container is nobody there."""

WRITABLE_ANYWAY = "/tmp"  # noqa: S108 - an emptyDir
NOT_FOR_PODS = ("database-admin-url", "registry-password")


def _for_pods(key: str) -> str:
    if key in NOT_FOR_PODS:
        message = f"no pod is given {key}: it is for the deployment itself; name another secret"
        raise ValueError(message)
    if key not in {spec.key for spec in SECRETS}:
        message = "expected the key of a secret of the stack, like openai-api-key"
        raise ValueError(message)
    return key


def _writable(paths: tuple[str, ...]) -> tuple[str, ...]:
    plain = [normpath(path).replace("//", "/") for path in paths]
    if "/" in plain:
        message = "an empty volume would lie over the whole image: name the folders that it writes to"
        raise ValueError(message)
    if WRITABLE_ANYWAY in plain:
        message = f"{WRITABLE_ANYWAY} is writable in every pod: leave it out"
        raise ValueError(message)
    if len(set(plain)) < len(plain):
        message = "names a path twice, which no pod may: leave out one of the two"
        raise ValueError(message)
    return paths


SecretKey = Annotated[str, AfterValidator(_for_pods)]


class Probe(Strict):
    """A path that the kubelet asks. It must not look at a dependency of the application."""

    path: Path = "/"
    period_seconds: Seconds = 10
    timeout_seconds: Seconds = 5
    failures: int = Field(default=3, ge=1, le=1000)


class StartupProbe(Probe):
    """Asked until it answers once: often, so that a rollout is not held up."""

    period_seconds: Seconds = 1
    failures: int = Field(default=60, ge=1, le=1000)


class ReadinessProbe(Probe):
    """Asked as long as the container runs; while it fails, no request is sent there."""

    period_seconds: Seconds = 5


class LivenessProbe(Probe):
    """Asked as long as the container runs; when it fails, the container is restarted: the last resort."""

    failures: int = Field(default=6, ge=1, le=1000)


class Probes(Strict):
    """When a container has started, may be asked, and has to be restarted."""

    startup: StartupProbe = StartupProbe()
    readiness: ReadinessProbe = ReadinessProbe()
    liveness: LivenessProbe = LivenessProbe()


class Contract(Strict):
    """What the image of one server asks for."""

    port: Port = 8000
    command: tuple[str, ...] = ()
    """Instead of the image's own entry point, where it is not empty."""
    args: tuple[str, ...] = ()
    """Instead of the image's own arguments, where it is not empty."""
    uid: Uid = 10_001
    gid: Uid | None = None
    """The same as `uid`, where it is not given."""
    writable: Annotated[tuple[Path, ...], AfterValidator(_writable)] = ()
    """Paths besides /tmp that the image writes to; each is empty in a new pod."""
    probes: Probes = Probes()


class BackendContract(Contract):
    """What the backend's image asks for, and the jobs, which run from the same one."""

    redis_password_in_url: bool = False
    """In REDIS_URL too, for an image that does not read REDIS_PASSWORD."""
    aliases: dict[VariableName, VariableName] = Field(default_factory=dict)
    """By another name of a variable the guide's name for it: the pods get both."""
    env: dict[VariableName, str] = Field(default_factory=dict)
    secret_env: dict[VariableName, SecretKey] = Field(default_factory=dict)
    """By the name of a variable the stack's secret that it holds; the pods read it from their Secret."""
    job_command: tuple[str, ...] = ("python", "-m", "jobs")
    """The container's arguments; the name of the job, as in the settings, comes after them."""
