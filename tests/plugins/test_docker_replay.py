"""The stand-in for the docker plugin answers as the official one was recorded to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.plugins import compare, docker_fake, replay
from twin.plugins.docker.servicer import DockerProvider
from twin.plugins.engine_log import EngineLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.plugins.docker_fake import FakeDocker
    from tests.plugins.replay import Call

HASH = re.compile(r"^[0-9a-f]{64}$")
FILES = replay.recordings("docker-")


def same(path: str, recorded: Any, got: Any) -> bool:
    """The fields that are not equal, all of them."""
    # Only Check makes it, by a function of its own. That it changes when the context does is checked apart.
    if path == ".inputs.build.contextDigest":
        return bool(HASH.match(str(recorded)) and HASH.match(str(got)))
    # Ours asks for the marks of secrets, so that no secret build argument gets into an error.
    return path == ".acceptSecrets" and recorded is None and got is True


def provider() -> DockerProvider:
    return DockerProvider(EngineLog(), {})


def replayed(servicer: DockerProvider, call: Call, docker: FakeDocker, folder: Path) -> replay.Answer:
    """Send one recorded request, with the daemon ready to say what it said then."""
    docker.reset()
    response = call.response or {}
    changed: dict[str, Any] = {}
    if call.method == "Configure":
        changed["args"] = {**call.request["args"], "host": docker.url}
    if call.method == "Check":
        # A context of its own for each recorded digest: its contents are that digest.
        (folder / "ctx" / "file").write_text(response["inputs"]["build"]["contextDigest"])
    if call.method in ("Create", "Update"):
        reference = response.get("properties", {}).get("repoDigest", "")
        digest = reference.rpartition("@")[2]
        said = (call.error or "").partition("error reading push output: ")[2]
        docker.build = [
            {"stream": "Step 1/1 : FROM scratch\n"},
            {"aux": {"ID": digest or docker_fake.LOCAL_ID}},
        ]
        docker.push = (
            [{"error": said, "errorDetail": {"message": said}}] if said else [{"aux": {"Digest": digest}}]
        )
    return replay.send(servicer, call, changed)


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_call_is_answered_as_recorded(file: str, docker: FakeDocker, folder: Path) -> None:
    servicer = provider()
    wrong = []
    for call in replay.calls(file):
        servicer = provider() if call.method == "Configure" else servicer
        answer = replayed(servicer, call, docker, folder)
        wrong += [f"{call}{text}" for text in compare.differences(call.error, answer.error, path=".error")]
        wrong += [f"{call}{text}" for text in compare.differences(call.response, answer.response, same)]
        wrong += [f"{call} asked: {text}" for text in unexpected_requests(call, docker)]
    assert not wrong, "\n".join(wrong)


def unexpected_requests(call: Call, docker: FakeDocker) -> Iterator[str]:
    """Where the requests to the daemon are not those that the call needs."""
    inputs = call.request.get("news") or call.request.get("properties") or {}
    builds = call.method in ("Create", "Update") and (not call.preview or inputs.get("buildOnPreview"))
    expected = (["build"] if call.preview else ["build", "push"]) if builds else []
    if [asked.what for asked in docker.asked] != expected:
        yield f"expected {expected}, got {docker.asked}"
        return
    if not builds:
        if docker.connections:
            yield "a call that builds nothing went to the daemon"
        return
    build = docker.asked[0]
    wanted = {"t": inputs["imageName"], "dockerfile": "Dockerfile", "platform": "linux/amd64"}
    yield from compare.differences(wanted, {key: build.params.get(key) for key in wanted}, path=".build")
    if "nocache" in build.params and build.params["nocache"] != "False":
        yield "Docker's layer cache is not used"
    if sorted(build.files) != ["Dockerfile", "file"] and sorted(build.files) != ["Dockerfile"]:
        yield f"sent {sorted(build.files)}"
    login = inputs.get("registry")
    if login and build.logins != {login["server"]: login}:
        yield "base images would be pulled without the login"
    for push in docker.asked[1:]:
        repository, _, tag = inputs["imageName"].rpartition(":")
        if not push.path.endswith(f"/images/{repository}/push") or push.params != {"tag": tag}:
            yield f"pushed {push.path} {push.params}"
        if push.logins != (login or {}):
            yield "pushed with another login"


def test_the_digest_of_the_context_changes_when_the_recorded_one_does(
    docker: FakeDocker, folder: Path
) -> None:
    pairs = set()
    for file in FILES:
        for call in replay.calls(file):
            if call.method == "Check":
                answer = replayed(provider(), call, docker, folder)
                assert call.response is not None
                assert answer.response is not None
                digests = [
                    said["inputs"]["build"]["contextDigest"] for said in (call.response, answer.response)
                ]
                pairs.add(tuple(digests))
    recorded, ours = ({pair[index] for pair in pairs} for index in (0, 1))
    assert len(pairs) == len(recorded) == len(ours) == 4


def test_recordings_are_there() -> None:
    methods = [call.method for file in FILES for call in replay.calls(file)]
    assert len(FILES) == 11
    assert [methods.count(name) for name in ("Check", "Diff", "Create", "Update", "Read", "Delete")] == [
        9, 7, 3, 5, 1, 1,
    ]  # fmt: skip


CORRUPTIONS = [
    ("docker-up.jsonl", "Check", ("inputs", "build", "dockerfile"), "Dockerfile"),
    ("docker-up.jsonl", "Check", ("inputs", "build", "contextDigest"), "abc"),
    ("docker-up.jsonl", "Create", ("id",), "127.0.0.1:5000/app"),
    ("docker-up.jsonl", "Create", ("properties", "repoDigest"), "127.0.0.1:5000/app"),
    ("docker-up.jsonl", "Create", ("properties", "registryServer"), "127.0.0.1:5000"),
    ("docker-up.jsonl", "Configure", ("supportsPreview",), False),
    ("docker-up-changed-file.jsonl", "Diff", ("detailedDiff", "build", "kind"), "DELETE"),
    ("docker-up-no-change.jsonl", "Diff", ("changes",), "DIFF_SOME"),
    ("docker-refresh.jsonl", "Read", ("properties", "platform"), "linux/arm64"),
]


@pytest.mark.parametrize(("file", "method", "path", "value"), CORRUPTIONS)
def test_a_corrupted_recorded_field_is_noticed(
    file: str, method: str, path: tuple[str, ...], value: Any, docker: FakeDocker, folder: Path
) -> None:
    servicer = provider()
    for call in replay.calls(file):
        answer = replayed(servicer, call, docker, folder)
        if call.method == method:
            assert list(compare.differences(call.response, answer.response, same)) == []
            corrupted = compare.corrupted(call.response, path, value)
            assert list(compare.differences(corrupted, answer.response, same)) != []
            return
    pytest.fail("the recording has no such call")


def test_a_corrupted_recorded_error_is_noticed(docker: FakeDocker, folder: Path) -> None:
    servicer = provider()
    for call in replay.calls("docker-wrong-password.jsonl"):
        answer = replayed(servicer, call, docker, folder)
        if call.method == "Update":
            assert answer.error == call.error
            assert "authentication required" in str(answer.error)
