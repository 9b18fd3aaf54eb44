"""The stand-in for the kubernetes plugin answers as the official one was recorded to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format

from tests.plugins import compare, kubernetes_fake, kubernetes_replay, replay
from tests.plugins.kubernetes_replay import differences
from twin.plugins.kubernetes import awaiting, creating

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugins.kubernetes_fake import Asked, FakeApi
    from tests.plugins.replay import Call
    from twin.plugins.kubernetes.servicer import KubernetesProvider

CONFLICT = (
    "Apply failed with 1 conflict: "
    'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
)
NOWHERE = "http://127.0.0.1:9"
# A timeout that was waited for when it was recorded; how long is not the plugin's answer.
SHORT_SECONDS = 0.05
LONG_SECONDS = 5


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    fake = kubernetes_fake.FakeApi()
    server = kubernetes_fake.serve(fake)
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(creating, "NOT_FOUND_FIRST_SECONDS", 0.001)


def replayed(servicer: KubernetesProvider, call: Call, api: FakeApi) -> replay.Answer:
    """Send one recorded request, with the server holding what it held then."""
    state = kubernetes_replay.kept(call)
    later = kubernetes_replay.live_of(state[0]) if state else kubernetes_replay.made_up(call)
    if call.method in ("Diff", "Create", "Read", "Update", "Delete"):
        kubernetes_replay.prepare(api, call, later)
    changed: dict[str, Any] = {}
    if call.method == "Configure":
        unreachable = "unreachable" in call.file
        config = kubernetes_replay.kubeconfig(NOWHERE if unreachable else api.url)
        changed["args"] = {**call.request["args"], "kubeconfig": config}
    error = call.error or ""
    if "read-only" in call.file:
        for verb in ("POST", "PATCH"):
            api.failures[verb] = (403, "Forbidden", "may not")
    if "field conflict" in error:
        api.failures["PATCH"] = (409, "Conflict", CONFLICT)
        if later:
            api.objects[kubernetes_replay.object_path(call, later)] = later
    if "already exists" in error:
        path = kubernetes_replay.object_path(call, call.request["properties"])
        api.objects[path] = replay.revealed(call.request["properties"])
    if call.method in ("Create", "Update", "Delete"):
        changed["timeout"] = SHORT_SECONDS if "timed out" in error else LONG_SECONDS
    if "was cancelled" in error:
        looks = iter(range(3))
        api.on_get = lambda _: servicer._session.cancelled.set() if next(looks, 9) == 2 else None
    return replay.send(servicer, call, changed)


@pytest.mark.parametrize("file", kubernetes_replay.recordings())
def test_every_recorded_call_is_answered_as_recorded(file: str, api: FakeApi) -> None:
    servicer = kubernetes_replay.provider()
    wrong = []
    for call in replay.calls(file):
        # A recording may hold several plugin processes; each that does something is configured once.
        servicer = kubernetes_replay.provider() if call.method == "Configure" else servicer
        answer = replayed(servicer, call, api)
        wrong += [f"{call}{text}" for text in differences(call.error, answer.error, ".error")]
        wrong += [f"{call}{text}" for text in differences(call.response, answer.response, "")]
        wrong += [f"{call} asked: {text}" for text in unexpected_requests(call, api)]
    assert not wrong, "\n".join(wrong)


def unexpected_requests(call: Call, api: FakeApi) -> Iterator[str]:
    """Where the requests to the API server are not those that the call needs."""
    if call.method not in ("Diff", "Create", "Read", "Update", "Delete"):
        return
    changes = api.changes()
    if call.method in ("Diff", "Read") and changes:
        yield f"a question changed something: {changes}"
    if call.preview and any(asked.params.get("dryRun") != "All" for asked in changes):
        yield f"a preview changed something: {changes}"
    expected = {"Create": "POST", "Update": "PATCH", "Delete": "DELETE"}.get(call.method)
    unreachable = "unreachable" in call.file
    if expected and not unreachable:
        if "upsert" in call.file and call.method == "Create":
            expected = "PATCH"
        writes = [asked for asked in changes if not isinstance(asked.body, list)]
        if [asked.method for asked in writes] != [expected]:
            yield f"expected one {expected}, got {changes}"
        else:
            yield from _unexpected_write(call, writes[0])


def _unexpected_write(call: Call, asked: Asked) -> Iterator[str]:
    if call.method == "Delete":
        if asked.body["propagationPolicy"] != "Foreground":
            yield "not a foreground deletion"
        return
    inputs = call.request["properties"] if call.method == "Create" else call.request["news"]
    yield from differences(replay.revealed(inputs), asked.body, ".body")
    if asked.params.get("fieldValidation") != "Strict":
        yield "unknown fields would be dropped in silence"
    manager = call.request.get("olds", {}).get("__fieldManager")
    if manager and asked.params["fieldManager"] != manager:
        yield "the field manager changed"


@pytest.mark.parametrize("place", sorted(kubernetes_replay.KEPT), ids=lambda place: f"{place[0]}:{place[1]}")
def test_a_failed_call_leaves_the_state_that_the_engine_was_seen_to_keep(
    place: tuple[str, int], api: FakeApi
) -> None:
    found = replay.calls(place[0])
    servicer = kubernetes_replay.provider()
    replayed(servicer, next(call for call in found if call.method == "Configure"), api)
    call = next(call for call in found if call.line == place[1])
    detail = replayed(servicer, call, api).detail
    assert detail is not None, "no details for the state"
    state = kubernetes_replay.kept(call)
    assert state is not None
    assert list(differences(state[0], json_format.MessageToDict(detail.properties))) == []
    assert list(differences(state[1], json_format.MessageToDict(detail.inputs))) == []


def test_recordings_are_there() -> None:
    files = kubernetes_replay.recordings()
    total = sum(len(replay.calls(file)) for file in files)
    assert len(files) == 52
    assert total > 1500


CORRUPTIONS = [
    ("Check", ("inputs", "metadata", "namespace"), "elsewhere"),
    ("Check", ("inputs", "metadata", "annotations", "pulumi.com/autonamed"), "false"),
    ("Diff", ("changes",), "DIFF_SOME"),
    ("Create", ("id",), "elsewhere/conf-0000"),
    ("Create", ("properties", "metadata", "uid"), "another"),
    ("Create", ("properties", "__inputs", "metadata", "namespace"), "elsewhere"),
    ("Create", ("properties", "__fieldManager"), "kubectl"),
]


@pytest.mark.parametrize(("method", "path", "value"), CORRUPTIONS)
def test_a_corrupted_recorded_field_is_noticed(
    method: str, path: tuple[str, ...], value: str, api: FakeApi
) -> None:
    servicer = kubernetes_replay.provider()
    found = replay.calls("small-first-up.jsonl")
    found += replay.calls("small-up-without-change.jsonl")
    replayed(servicer, next(call for call in found if call.method == "Configure"), api)
    call = next(call for call in found if call.method == method and compare.has(call.response, path))
    answer = replayed(servicer, call, api)
    assert list(differences(call.response, answer.response)) == []
    corrupted = compare.corrupted(call.response, path, value)
    assert list(differences(corrupted, answer.response)) != []
