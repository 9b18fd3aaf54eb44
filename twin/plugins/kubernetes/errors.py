"""What can go wrong, as the engine is told it."""

from __future__ import annotations

from typing import Any

import grpc


class PluginError(Exception):
    """An answer to the engine that is an error; `code` is the gRPC status code."""

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class InitFailedError(PluginError):
    """The object exists, but is not what was asked for: the engine saves it with these reasons.

    Args:
        message: the error itself.
        object_id: the resource's id.
        properties: its outputs as far as they are known.
        inputs: the inputs that the state shall keep.
        reasons: why; the message comes first.

    """

    def __init__(
        self,
        message: str,
        *,
        object_id: str,
        properties: dict[str, Any],
        inputs: dict[str, Any],
        reasons: list[str],
    ) -> None:
        super().__init__(message)
        self.object_id = object_id
        self.properties = properties
        self.inputs = inputs
        self.reasons = [message, *reasons]


class ApiError(Exception):
    """The API server answered with a failure (`status` is the HTTP code)."""

    def __init__(self, status: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def not_found(self) -> bool:
        """Whether the object (or its namespace) does not exist."""
        return self.status == 404  # noqa: PLR2004 - HTTP

    @property
    def forbidden(self) -> bool:
        """Whether the user may not do this."""
        return self.status in (401, 403)

    @property
    def already_exists(self) -> bool:
        """Whether an object of that name is there already."""
        return self.reason == "AlreadyExists"

    @property
    def conflict(self) -> bool:
        """Whether another field manager owns a field, or the object changed meanwhile."""
        return self.reason == "Conflict"


class UnreachableError(Exception):
    """No answer from the API server at all, or no usable address for it."""


class AwaitError(Exception):
    """An object did not become ready; `reasons` say why."""

    def __init__(self, message: str, reasons: list[str]) -> None:
        super().__init__(message)
        self.message = message
        self.reasons = reasons


class CancelledError(AwaitError):
    """The engine asked to stop while something was awaited."""
