"""How builds and pushes of the docker stand-in end, and that they do not wait for each other."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.plugins import docker_fake
from tests.plugins.docker_calls import create, error, inputs, provider
from twin.plugins.docker import daemon

if TYPE_CHECKING:
    from tests.plugins import replay
    from tests.plugins.docker_fake import FakeDocker
    from twin.plugins.docker.servicer import DockerProvider

pytestmark = pytest.mark.usefixtures("folder")


class Background:
    """A build that is under way, with the daemon quiet."""

    def __init__(self, servicer: DockerProvider, docker: FakeDocker, **request: Any) -> None:
        self._answers: list[replay.Answer] = []
        self._thread = threading.Thread(
            target=lambda: self._answers.append(create(servicer, **request)), daemon=True
        )
        self._thread.start()
        assert docker.working.wait(10)

    def error(self) -> str:
        self._thread.join(10)
        [answer] = self._answers
        return str(answer.error)


@pytest.mark.parametrize("what", ["build", "push"])
def test_cancel_ends_what_runs_and_the_daemons_work(docker: FakeDocker, what: str) -> None:
    docker.quiet = what
    servicer = provider(docker)
    running = Background(servicer, docker)
    servicer.Cancel(None, None)
    assert running.error().endswith(": cancelled")
    assert docker.hung_up.wait(10), "the daemon goes on"


def test_after_cancel_nothing_is_begun(docker: FakeDocker) -> None:
    servicer = provider(docker)
    servicer.Cancel(None, None)
    assert error(servicer) == "building localhost:5000/app:staging: cancelled"
    assert docker.asked == []


def test_a_wait_ends_by_the_custom_timeout(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(daemon, "time", SimpleNamespace(monotonic=lambda: now[0]))
    docker.quiet = "build"
    running = Background(provider(docker), docker, timeout=60)
    now[0] += 61
    assert "not done within 60 s: give the image longer `custom_timeouts`" in running.error()
    assert docker.hung_up.wait(10), "the daemon goes on"


def test_three_images_are_built_at_once(docker: FakeDocker) -> None:
    docker.together = threading.Barrier(3)
    servicer = provider(docker)
    answers: dict[str, replay.Answer] = {}

    def build(name: str) -> None:
        answers[name] = create(servicer, properties=inputs(name))

    threads = [threading.Thread(target=build, args=(name,), daemon=True) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for name, answer in answers.items():
        assert answer.error is None
        assert answer.response is not None
        reference = answer.response["properties"]["repoDigest"]
        assert reference == f"localhost:5000/{name}@{docker_fake.DIGEST}"
    assert len(answers) == 3
