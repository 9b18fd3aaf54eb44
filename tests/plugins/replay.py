"""Feed recorded requests to a stand-in and compare its answers, field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import provider_pb2

from twin.plugins import wire

if TYPE_CHECKING:
    import grpc

WIRE = Path(__file__).parent / "wire"

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
    def type(self) -> str:
        """The type token; an older engine says it in the URN alone."""
        in_urn = (self.urn.split("::") + [""] * 3)[2].rpartition("$")[2]
        return str(self.request.get("type") or in_urn)

    @property
    def preview(self) -> bool:
        return bool(self.request.get("preview"))

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.method} {self.urn.rpartition('::')[2]}"


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


def recordings(*families: str) -> list[str]:
    """The recorded conversations whose names begin so."""
    return sorted(path.name for path in WIRE.glob("*.jsonl") if path.name.startswith(families))


def calls_of(plugin: str, version: str, file: str) -> list[Call]:
    """One plugin's calls of a recording that holds several.

    A handshake is that of the plugin whose information is asked for next; a cancellation is for all.
    """
    found, handshake = [], None
    for call in calls(file):
        ours = call.type.startswith((f"{plugin}:", f"pulumi:providers:{plugin}"))
        if call.method == "Handshake":
            handshake = call
        elif call.method == "GetPluginInfo" and call.response == {"version": version}:
            assert handshake is not None
            found += [handshake, call]
        elif ours or call.method == "Cancel":
            found.append(call)
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


def send(servicer: Any, call: Call, changed: dict[str, Any] | None = None) -> Answer:
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


def revealed(properties: dict[str, Any]) -> dict[str, Any]:
    """Recorded properties without the marks of secrets."""
    struct = json_format.ParseDict(properties, wire.struct_pb2.Struct())
    plain: dict[str, Any] = wire.reveal(wire.decode(struct))
    return plain
