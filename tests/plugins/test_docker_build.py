"""What the docker stand-in asks of a daemon, how it fails, and that it keeps its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.plugins import docker_fake
from tests.plugins.docker_calls import PASSWORD, SECRET, asked, create, error, inputs, provider
from twin.docker import LABEL
from twin.plugins import wire
from twin.plugins.docker.servicer import IMAGE, DockerProvider
from twin.plugins.engine_log import EngineLog

if TYPE_CHECKING:
    from tests.plugins.docker_fake import FakeDocker

pytestmark = pytest.mark.usefixtures("folder")


class Log(EngineLog):
    """What the user would see while it builds."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def status(self, urn: str, message: str) -> None:
        del urn
        self.messages.append(message)


@pytest.fixture
def log() -> Log:
    return Log()


def test_the_fakes_mark_is_the_twins() -> None:
    assert docker_fake.LABEL == LABEL


def test_build_arguments_network_and_platform_reach_the_daemon(docker: FakeDocker) -> None:
    assert create(provider(docker)).error is None
    build = docker.asked[0].params
    assert build["buildargs"] == f'{{"BASE": "base:1", "KEY": "{SECRET}"}}'
    assert build["networkmode"] == "none"
    assert build["platform"] == "linux/amd64"


def test_a_daemon_without_the_mark_is_refused(docker: FakeDocker) -> None:
    docker.labels = ["orka.twin=false"]
    text = error(provider(docker))
    assert docker.url in text
    assert LABEL in text
    assert docker.asked == []


def test_the_providers_host_comes_before_the_environments(docker: FakeDocker) -> None:
    servicer = DockerProvider(EngineLog(), {"DOCKER_HOST": "unix:///nowhere"})
    assert "unix:///nowhere: No such file or directory: start the twin" in error(servicer)
    asked(servicer, "Configure", args={"host": docker.url})
    assert create(servicer).error is None


def test_a_daemon_that_does_not_answer_is_named() -> None:
    text = error(DockerProvider(EngineLog(), {"DOCKER_HOST": "tcp://127.0.0.1:9"}))
    assert text.startswith("Docker does not answer at tcp://127.0.0.1:9: Connection refused")


def test_a_failing_step_shows_the_last_lines_without_secrets(docker: FakeDocker, log: Log) -> None:
    pieces = [f"line {number}\nhalf of " for number in range(20)] + [f"--key={SECRET}\n", PASSWORD]
    docker.build = [
        {"stream": f"Step 2/3 : RUN fetch {SECRET}"},
        {"stream": "\n"},
        *({"stream": piece} for piece in pieces),
        {"errorDetail": {"code": 3, "message": "returned a non-zero code: 3"}, "error": "x"},
    ]
    lines = error(provider(docker, log)).splitlines()
    assert lines[0] == "building localhost:5000/app:staging: returned a non-zero code: 3"
    assert lines[-2:] == ["  half of --key=***", "  ***"]
    assert len(lines) == 1 + 12
    assert log.messages == ["Step 2/3 : RUN fetch ***"]


def test_a_refusal_of_the_daemon_is_shown_without_the_address_that_holds_the_arguments(
    docker: FakeDocker,
) -> None:
    docker.refuses = (500, f"dockerfile parse error near {SECRET}")
    assert error(provider(docker)) == "building localhost:5000/app:staging: dockerfile parse error near ***"


@pytest.mark.parametrize("what", ["build", "push"])
def test_a_daemon_that_dies_is_an_error(docker: FakeDocker, what: str) -> None:
    docker.breaks = what
    assert "the connection failed" in error(provider(docker))


def test_a_build_without_an_image_and_a_push_without_a_digest_are_errors(docker: FakeDocker) -> None:
    docker.push = []
    assert "the registry named no digest" in error(provider(docker))
    docker.build = []
    assert "Docker named no digest" in error(provider(docker))


def test_secrets_stay_marked_in_every_answer(docker: FakeDocker) -> None:
    servicer = provider(docker)
    answers = [
        asked(servicer, "Check", news=inputs()),
        create(servicer, preview=True),
        create(servicer),
        asked(servicer, "Update", olds={}, news=inputs()),
        asked(servicer, "Update", olds={}, news=inputs(), preview=True),
        asked(servicer, "Read", id="x", properties={"a": "b"}, inputs=inputs()),
    ]
    for answer in answers:
        assert answer.response is not None
        text = str(answer.response)
        assert SECRET in text
        assert PASSWORD in text
        assert SECRET not in str(unmarked(answer.response))
        assert PASSWORD not in str(unmarked(answer.response))


def unmarked(value: Any) -> Any:
    """Without everything that is marked as a secret."""
    if isinstance(value, dict):
        hidden = value.get(wire.SIGNATURE_KEY) == wire.SECRET_SIGNATURE
        return None if hidden else {key: unmarked(item) for key, item in value.items()}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


def test_a_diff_compares_with_what_was_built(docker: FakeDocker) -> None:
    built = {"__inputs": {"imageName": "a:1"}}
    answer = asked(
        provider(docker), "Diff", olds=built, oldInputs={"imageName": "b:1"}, news={"imageName": "b:1"}
    )
    assert answer.response is not None
    assert answer.response["detailedDiff"] == {"imageName": {"kind": "UPDATE"}}


def test_another_kind_is_refused(docker: FakeDocker) -> None:
    answer = asked(provider(docker), "Check", type="docker:index/container:Container", news={})
    assert "docker:index/container:Container is not known" in str(answer.error)
    assert IMAGE in str(answer.error)


def test_an_unknown_input_of_the_provider_is_refused(docker: FakeDocker) -> None:
    answer = asked(provider(docker), "CheckConfig", news={"host": "h", "registryAuth": []})
    assert answer.response is not None
    assert [failure["property"] for failure in answer.response["failures"]] == ["registryAuth"]


def test_the_reason_of_a_refusal_reaches_the_engine_without_a_property(docker: FakeDocker) -> None:
    news = {**inputs(), "target": "x"}
    answer = asked(provider(docker), "Check", news=news)
    assert answer.response is not None
    assert answer.response["failures"] == [{"reason": "an Image has no input `target` here: leave it out"}]


def test_an_image_is_not_imported(docker: FakeDocker) -> None:
    assert "only built" in str(asked(provider(docker), "Read", id="localhost:5000/app:staging").error)
