"""Messages to the engine's display: what is being waited for, and warnings."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_TIMEOUT_SECONDS = 2


class EngineLog:
    """The engine's log; without an address it is silent."""

    def __init__(self, address: str = "") -> None:
        self._lock = threading.Lock()
        self._last: dict[str, str] = {}
        self._stub: engine_pb2_grpc.EngineStub | None = None
        if address:
            self.connect(address)

    def connect(self, address: str) -> None:
        """Send to the engine at `address` (host:port) from now on."""
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def warning(self, urn: str, message: str) -> None:
        """A line that stays in the output."""
        self._send(engine_pb2.WARNING, urn, message, ephemeral=False)

    def status(self, urn: str, message: str) -> None:
        """A line that the next one replaces; the same line is sent once only."""
        with self._lock:
            if self._last.get(urn) == message:
                return
            self._last[urn] = message
        self._send(engine_pb2.INFO, urn, message, ephemeral=True)

    def for_resource(self, urn: str) -> Callable[[str], None]:
        """`status` for one resource."""
        return lambda message: self.status(urn, message)

    def _send(
        self, severity: engine_pb2.LogSeverity.ValueType, urn: str, message: str, *, ephemeral: bool
    ) -> None:
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        try:
            self._stub.Log(request, timeout=LOG_TIMEOUT_SECONDS)
        except grpc.RpcError:
            # A message that cannot be shown must not fail the operation it tells about.
            self._stub = None
