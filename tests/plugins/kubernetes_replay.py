"""Feed the recorded requests to the stand-in and compare its answers, field by field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import provider_pb2

from twin.plugins import wire
from twin.plugins.engine_log import EngineLog
from twin.plugins.kubernetes import kinds
from twin.plugins.kubernetes.servicer import KubernetesProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from tests.plugins.kubernetes_fake import FakeApi

WIRE = Path(__file__).parent / "wire"
FAMILIES = ("small-", "kubernetes-", "stack-", "preview-")

# Fields that cannot be equal. Everything else is compared, uids, versions and timestamps included, for the
# scripted server hands out the recorded objects.
IGNORED_VALUES = {
    # The official plugin draws it at random; that it has this form and stays is checked elsewhere.
    "__fieldManager": re.compile(r"^pulumi-kubernetes-[0-9a-f]{8}$"),
}
# The eight digits of an automatic name come from the engine's random seed by another function.
AUTONAME = re.compile(r"^(?P<stem>.*-)[0-9a-f]{8}$")
# Go's map order decides it; the engine reads it as a set.
UNORDERED_LISTS = {"replaces"}

REQUESTS = {
    "Handshake": provider_pb2.ProviderHandshakeRequest,
    "GetPluginInfo": empty_pb2.Empty,
    "CheckConfig": provider_pb2.CheckRequest,
    "DiffConfig": provider_pb2.DiffRequest,
    "Configure": provider_pb2.ConfigureRequest,
    "Check": provider_pb2.CheckRequest,
    "Diff": provider_pb2.DiffRequest,
    "Create": provider_pb2.CreateRequest,
    "Read": provider_pb2.ReadRequest,
    "Update": provider_pb2.UpdateRequest,
    "Delete": provider_pb2.DeleteRequest,
    "Cancel": empty_pb2.Empty,
}


@dataclass(frozen=True)
class Call:
    """One recorded call."""

    file: str
    line: int
    method: str
    request: dict[str, Any]
    response: dict[str, Any] | None
    error: str | None

    @property
    def urn(self) -> str:
        return str(self.request.get("urn", ""))

    @property
    def preview(self) -> bool:
        return bool(self.request.get("preview"))

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.method} {self.urn.rpartition('::')[2]}"


def recordings() -> list[str]:
    """The recorded conversations with the kubernetes plugin."""
    return sorted(path.name for path in WIRE.glob("*.jsonl") if path.name.startswith(FAMILIES))


def calls(file: str) -> list[Call]:
    """The provider's calls of one recording."""
    found = []
    for line, text in enumerate((WIRE / file).read_text(encoding="utf-8").splitlines(), start=1):
        record = json.loads(text)
        service, method = record["method"].split("/")[1:]
        if service == "pulumirpc.ResourceProvider":
            error = (record.get("errors") or [None])[0]
            found.append(Call(file, line, method, record["request"], record.get("response"), error))
    return found


class Aborted(Exception):  # noqa: N818 - it is how gRPC ends a call, not an error of ours
    """What `context.abort` raises."""


class Context:
    """The parts of a gRPC context that the servicer uses."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.message = ""
        self.trailing: dict[str, bytes] = {}

    def abort(self, code: grpc.StatusCode, message: str) -> None:
        self.code, self.message = code, message
        raise Aborted(message)

    def set_trailing_metadata(self, pairs: tuple[tuple[str, bytes], ...]) -> None:
        self.trailing = dict(pairs)


@dataclass
class Answer:
    """What the stand-in said."""

    response: dict[str, Any] | None
    error: str | None
    detail: provider_pb2.ErrorResourceInitFailed | None = None


def provider() -> KubernetesProvider:
    """A stand-in that sees nothing of this machine's environment."""
    return KubernetesProvider(EngineLog(), {})


def kubeconfig(url: str) -> str:
    """A kubeconfig's contents for a server without TLS."""
    named = {"name": "fake", "cluster": {"server": url}}
    context = {"name": "fake", "context": {"cluster": "fake", "user": "fake"}}
    return yaml.safe_dump(
        {
            "clusters": [named],
            "contexts": [context],
            "current-context": "fake",
            "users": [{"name": "fake", "user": {"token": "t"}}],
        }
    )


def send(servicer: KubernetesProvider, call: Call, changed: dict[str, Any] | None = None) -> Answer:
    """One request to the servicer, in the form it has on the wire."""
    request = json_format.ParseDict({**call.request, **(changed or {})}, REQUESTS[call.method]())
    context = Context()
    try:
        response = getattr(servicer, call.method)(request, context)
    except Aborted:
        assert context.code is not None
        name = "".join(part.capitalize() for part in context.code.name.split("_"))
        name = {"Cancelled": "Canceled"}.get(name, name)
        return Answer(None, f"rpc error: code = {name} desc = {context.message}", _detail(context))
    return Answer(json_format.MessageToDict(response), None)


def _detail(context: Context) -> provider_pb2.ErrorResourceInitFailed | None:
    packed = context.trailing.get("grpc-status-details-bin")
    if packed is None:
        return None
    status = provider_status().FromString(packed)
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return detail


def provider_status() -> Any:
    """The class of a gRPC status."""
    from pulumi.runtime.proto import status_pb2  # noqa: PLC0415 - it registers a name that other packages may have

    return status_pb2.Status


def differences(recorded: Any, got: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ, as `path: recorded → got`."""
    if isinstance(recorded, dict) and isinstance(got, dict):
        for key in sorted(recorded.keys() | got.keys()):
            form = IGNORED_VALUES.get(key)
            values = (recorded.get(key), got.get(key))
            if form and all(isinstance(value, str) and form.match(value) for value in values):
                continue
            yield from differences(recorded.get(key), got.get(key), f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(got, list):
        if path.rpartition(".")[2] in UNORDERED_LISTS:
            recorded, got = sorted(recorded), sorted(got)
        for index in range(max(len(recorded), len(got))):
            ours = got[index] if index < len(got) else None
            theirs = recorded[index] if index < len(recorded) else None
            yield from differences(theirs, ours, f"{path}[{index}]")
    elif recorded != got and not (path.endswith(".metadata.name") and _same_stem(recorded, got)):
        yield f"{path}: {recorded!r} → {got!r}"


def _same_stem(one: Any, other: Any) -> bool:
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    first, second = AUTONAME.match(one), AUTONAME.match(other)
    return bool(first and second and first["stem"] == second["stem"])


# -- what the API server held when a call was recorded ------------------------------------------------

# The recorder dropped what an error carried for the state. A later call shows what the engine kept of it:
# (file, line) of that call, whose `olds` (or `properties`) and old inputs are the error's.
KEPT = {
    ("kubernetes-deploy-bad-image.jsonl", 45): ("kubernetes-deploy-bad-image-again.jsonl", 32),
    ("kubernetes-deploy-bad-image-again.jsonl", 45): ("kubernetes-deploy-healed.jsonl", 28),
    ("kubernetes-drift-preview.jsonl", 37): ("kubernetes-drift-preview.jsonl", 38),
    ("kubernetes-drift-up-refresh.jsonl", 81): ("kubernetes-conflict-with-patch-force.jsonl", 41),
    ("kubernetes-edited-up-refresh.jsonl", 50): ("kubernetes-provider-patch-force.jsonl", 21),
    ("kubernetes-job-fails.jsonl", 46): ("kubernetes-job-fails-again.jsonl", 46),
    ("kubernetes-job-fails-again.jsonl", 47): ("kubernetes-job-replace-unready.jsonl", 44),
    ("kubernetes-job-termination-message.jsonl", 26): ("kubernetes-job-fallback-to-logs.jsonl", 22),
    ("stack-migration-interrupted.jsonl", 27): ("stack-migration-still-running.jsonl", 20),
    ("stack-refresh-always-heals.jsonl", 22): ("stack-refresh-always-heals.jsonl", 25),
    ("stack-rollout-fails.jsonl", 28): ("stack-rollout-fails-and-back.jsonl", 27),
}


def kept(call: Call) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Properties and inputs that the engine kept of a failed call, where a later call shows them."""
    place = KEPT.get((call.file, call.line))
    if place is None:
        return None
    request = next(later for later in calls(place[0]) if later.line == place[1]).request
    return request.get("olds") or request["properties"], request.get("oldInputs") or request["inputs"]


def made_up(call: Call) -> dict[str, Any] | None:
    """An object that fits an error after which no call shows the real one."""
    request = call.request
    if call.error is None or call.method not in ("Create", "Update"):
        return None
    live = revealed(request.get("news") or request["properties"])
    live["metadata"] = {**live["metadata"], "uid": "u", "generation": 1, "resourceVersion": "1"}
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    conditions = [failed] if live["kind"] == "Job" else []
    return {**live, "status": {"observedGeneration": 1, "conditions": conditions}}


def live_of(properties: dict[str, Any]) -> dict[str, Any]:
    """The live object that a state's properties are made of."""
    return {key: value for key, value in revealed(properties).items() if not key.startswith("__")}


def revealed(properties: dict[str, Any]) -> dict[str, Any]:
    """Recorded properties without the marks of secrets."""
    struct = json_format.ParseDict(properties, wire.struct_pb2.Struct())
    plain: dict[str, Any] = wire.reveal(wire.decode(struct))
    return plain


def object_path(call: Call, properties: dict[str, Any]) -> str:
    """Where the call's object lives."""
    kind = kinds.of_type(call.request["type"])
    meta = properties["metadata"]
    return kind.path(meta.get("namespace", ""), meta["name"])


def prepare(api: FakeApi, call: Call, later: dict[str, Any] | None) -> None:
    """Fill the server with what it held, and with what it answered to the write that this call makes.

    Args:
        api: the server.
        call: the call to be replayed.
        later: where the call ended in an error, the object as later calls show it.

    """
    api.reset()
    request, response = call.request, call.response or {}
    if call.method == "Diff":
        live = live_of(request["olds"])
        api.objects[object_path(call, live)] = live
    elif call.method == "Create":
        result = live_of(response["properties"]) if response.get("properties") else later
        # A dry run that was not answered leaves the inputs alone: no `__inputs` in the answer.
        if call.preview and "__inputs" not in response["properties"]:
            api.failures["POST"] = (404, "NotFound", 'namespaces "cases" not found')
        elif result:
            path = object_path(call, result)
            api.answers["POST", path] = api.answers["PATCH", path] = result
    elif call.method == "Read":
        result = live_of(response["properties"]) if response.get("id") else later
        if result:
            api.objects[object_path(call, result)] = result
    elif call.method == "Update":
        before = live_of(request["olds"])
        path = object_path(call, before)
        api.objects[path] = before
        result = live_of(response["properties"]) if response.get("properties") else later
        if result:
            api.answers["PATCH", path] = result
    elif call.method == "Delete":
        live = live_of(request["properties"])
        api.objects[object_path(call, live)] = live
