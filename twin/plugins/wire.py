"""What every plugin shares: property values of the engine's protocol, and serving over gRPC.

A property map travels as a protobuf `Struct`. Two magic values mark what JSON cannot say: a secret and
an unknown (a value known only after the update). They become `Secret` and `UNKNOWN` here, so that no
plugin handles the raw markers and none can forget one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import json_format, struct_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker of the protocol
UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024
WORKERS: Final = 64
ENGINE_POLL_S: Final = 1.0


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that must stay encrypted in the state; its repr never shows it."""

    value: Any

    def __repr__(self) -> str:
        """Never the value: this may end in a traceback."""
        return "Secret(…)"


class _Unknown:
    """The one value that means: known only after the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A property map as plain Python, whole numbers as `int`, with `Secret` and `UNKNOWN` in place."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
            return Secret(_decode(fields["value"]))
        return {key: _decode(item) for key, item in fields.items()}
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_STRING else value.string_value
    return value.bool_value if kind == "bool_value" else None


def encode(properties: dict[str, Any]) -> struct_pb2.Struct:
    """The opposite of `decode`."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(encode_json(properties), struct)
    return struct


def encode_json(value: Any) -> Any:
    """Plain JSON with the markers of the protocol, as it stands in the recordings."""
    if isinstance(value, Secret):
        return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": encode_json(value.value)}
    if value is UNKNOWN:
        return UNKNOWN_STRING
    if isinstance(value, dict):
        return {key: encode_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode_json(item) for item in value]
    return value


def reveal(value: Any) -> Any:
    """The same value without `Secret` wrappers, for the API that is being called."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether an unknown stands anywhere inside."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list) and any(has_unknown(item) for item in value)


def serve(register: Callable[[grpc.Server], None], *, at_end: Callable[[], object] = lambda: None) -> None:
    """Serve on a free loopback port, print it as the engine expects, and stay until told to stop.

    A killed engine tells nothing: that the parent is another one then ends the plugin too, so that nothing
    goes on waiting for a cluster on behalf of nobody.
    """
    engine = os.getppid()
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=WORKERS), options=options)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    stopped = threading.Event()
    # The engine lets go by SIGINT, and waits ten seconds for a plugin that does not end by it. A terminal's
    # Ctrl-C does not come here: the engine starts each plugin in a process group of its own.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(ENGINE_POLL_S):
        if os.getppid() != engine:
            break
    at_end()
    server.stop(grace=0)
    sys.stdout.flush()
    # Without the interpreter's own shutdown, which would wait for calls that the engine has given up.
    os._exit(0)
