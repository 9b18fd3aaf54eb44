"""The kubernetes plugin's recordings, and what the API server held when each call was recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from tests.plugins import compare, replay
from tests.plugins.replay import calls, revealed
from twin.plugins.engine_log import EngineLog
from twin.plugins.kubernetes import kinds
from twin.plugins.kubernetes.servicer import KubernetesProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugins.kubernetes_fake import FakeApi
    from tests.plugins.replay import Call

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


def recordings() -> list[str]:
    """The recorded conversations with the kubernetes plugin."""
    return replay.recordings(*FAMILIES)


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


def differences(recorded: Any, got: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ, but for the fields above."""
    return compare.differences(recorded, got, _same, path)


def _same(path: str, recorded: Any, got: Any) -> bool:
    key = path.rpartition(".")[2]
    if key in UNORDERED_LISTS and isinstance(recorded, list) and isinstance(got, list):
        return sorted(recorded) == sorted(got)
    if not isinstance(recorded, str) or not isinstance(got, str):
        return False
    form = IGNORED_VALUES.get(key)
    if form:
        return bool(form.match(recorded) and form.match(got))
    first, second = AUTONAME.match(recorded), AUTONAME.match(got)
    return path.endswith(".metadata.name") and bool(first and second and first["stem"] == second["stem"])


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
