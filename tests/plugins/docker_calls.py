"""Calls to the docker stand-in by hand, where no recording has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.plugins import replay
from tests.plugins.replay import Call
from twin.plugins import wire
from twin.plugins.docker.servicer import IMAGE, DockerProvider
from twin.plugins.engine_log import EngineLog

if TYPE_CHECKING:
    from tests.plugins.docker_fake import FakeDocker

URN = f"urn:pulumi:staging::orka::{IMAGE}::app"
SECRET = "k3y/with=odd&signs"
PASSWORD = "pa55 word"


def provider(docker: FakeDocker, log: EngineLog | None = None) -> DockerProvider:
    return DockerProvider(log or EngineLog(), {"DOCKER_HOST": docker.url})


def inputs(name: str = "app") -> dict[str, Any]:
    return wire.encode_json(
        {
            "imageName": f"localhost:5000/{name}:staging",
            "build": {
                "context": "ctx",
                "dockerfile": "ctx/Dockerfile",
                "platform": "linux/amd64",
                "network": "none",
                "args": {"KEY": wire.Secret(SECRET), "BASE": "base:1"},
            },
            "buildOnPreview": False,
            "registry": {
                "server": "localhost:5000", "username": "ci", "password": wire.Secret(PASSWORD),
            },
        }
    )  # fmt: skip


def asked(servicer: DockerProvider, method: str, **request: Any) -> replay.Answer:
    return replay.send(servicer, Call("", 0, method, {"urn": URN, **request}, None, None))


def create(servicer: DockerProvider, **request: Any) -> replay.Answer:
    return asked(servicer, "Create", **{"properties": inputs(), **request})


def error(servicer: DockerProvider, **request: Any) -> str:
    """The error of a build that must fail; no secret is in it in any spelling."""
    answer = create(servicer, **request)
    assert answer.error is not None, "it did not fail"
    text = answer.error.removeprefix("rpc error: code = Unknown desc = ")
    for hidden in (SECRET, PASSWORD, "k3y", "pa55"):
        assert hidden not in text
    return text
