"""What a container asks for and may use."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from model.quantity import amount
from model.settings_base import Memory, Quantity, Strict


class Resources(Strict):
    """What one container asks for and may use; there is no CPU limit, which would only throttle."""

    cpu_request: Quantity = "50m"
    memory_request: Memory = "128Mi"
    memory_limit: Memory = "512Mi"

    @model_validator(mode="after")
    def _request_within_limit(self) -> Self:
        if amount(self.memory_request) > amount(self.memory_limit):
            message = "`memory-request` is more than `memory-limit`: no such pod would ever be started"
            raise ValueError(message)
        return self
