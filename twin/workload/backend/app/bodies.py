"""What clients may send. FastAPI turns what does not fit into 422 with the place and the reason."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
MAX_FOUND = 50


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewEvent(_Body):
    """An audit event as the guide posts it. Tenant, user, hash and order are never the client's to say."""

    event_type: Name
    entity_type: Name
    entity_id: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    severity: Literal["info", "warning", "error", "critical"] = "info"
    action_details: dict[str, Any]


class Query(_Body):
    """A question in words; `limit` is the most results to return."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
    limit: int = Field(default=10, ge=1, le=MAX_FOUND)


class NewReport(_Body):
    """A report to be made at the times of a five-field cron expression (UTC)."""

    report_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    schedule_cron: Annotated[str, StringConstraints(pattern=r"^\S+( \S+){4}$", max_length=100)] = "0 6 * * *"
    filters: dict[str, Any] = Field(default_factory=dict)
    recipients: list[str] = Field(default_factory=list)
    format: Literal["pdf", "csv"] = "csv"
