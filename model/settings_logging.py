"""Where logs are collected and handed on."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from model.settings_base import HttpUrl, Strict, Text
from model.settings_network import Addresses, Peers
from model.settings_resources import Resources


class Logging(Strict):
    """An aggregator that node agents send to; without a `sink` there is none."""

    sink: Literal["none", "elasticsearch", "splunk", "file"] = "none"
    url: HttpUrl | None = None
    """Of Elasticsearch, or of Splunk's HTTP event collector."""
    user: str = "orka"
    """Of Elasticsearch."""
    index: Annotated[str, Text(r"[a-z][-a-z0-9]*", "expected a name of small letters, digits and -")] = (
        "orka-staging"
    )
    senders: Peers = Peers(namespaces=("logging",))
    """The agents on the nodes, in a namespace of their own: this one forbids what they need."""
    addresses: Addresses = Addresses()
    """Of the sink."""
    buffer_megabytes: int = Field(default=512, ge=64, le=3072)
    """The volume it lies in has room for 4096."""
    resources: Resources = Resources.model_validate({"memory-request": "128Mi", "memory-limit": "512Mi"})

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if (self.url is None) == (self.sink in ("elasticsearch", "splunk")):
            message = "`url` is for the sinks elasticsearch and splunk, which need it; the others have none"
            raise ValueError(message)
        return self
