# ruff: noqa: N802 - the methods have the names of the protocol
"""What the stand-ins for random and postgresql share: the gRPC face of a provider with a few known kinds.

A kind says which inputs it has; everything else is refused in Check, never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from twin.plugins import wire
from twin.plugins.provider import Context, Properties, Provider, ProviderError, marked

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DEFAULTS = "__defaults"


@dataclass(frozen=True, kw_only=True)
class Change:
    """The outcome of a Diff: names of changed inputs, and of those that take a new resource."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    stables: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The inputs of one kind: which there are, which must be given, defaults, secrets."""

    inputs: frozenset[str]
    required: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    secret_inputs: frozenset[str] = frozenset()
    secret_outputs: frozenset[str] = frozenset()
    # Whether Check marks which inputs it filled in, as the official postgresql plugin does.
    marks_defaults: bool = False
    detailed_diff: bool = False


class Kind(Protocol):
    """What one kind of resource does. Values are plain: secrets are unwrapped before and marked after.

    In a preview an input may be unknown.
    """

    schema: Schema

    def diff(self, olds: Properties, old_inputs: Properties, news: Properties) -> Change:
        """What changed."""

    def create(self, inputs: Properties, *, preview: bool) -> tuple[str, Properties]:
        """Id and outputs; in a preview no id."""

    def read(self, resource_id: str, properties: Properties) -> Properties | None:
        """The live outputs, None when it is gone."""

    def update(self, olds: Properties, news: Properties, *, preview: bool) -> Properties:
        """The outputs after it."""

    def delete(self, resource_id: str, properties: Properties) -> None:
        """Remove it; gone already is fine."""


class BridgedProvider(Provider):
    """A provider of a few kinds."""

    def kinds(self) -> Mapping[str, Kind]:
        """The kinds by type token."""
        raise NotImplementedError

    def types(self) -> Collection[str]:
        """The type tokens of the kinds."""
        return self.kinds()

    def Check(self, request: Any, context: Context) -> provider_pb2.CheckResponse:
        """Fill in defaults; refuse what the kind does not have and what it lacks."""
        schema = self._kind(request, context).schema
        news = wire.decode(request.news)
        failures = [
            provider_pb2.CheckFailure(property=key, reason=f"{request.type} has no input {key!r} here")
            for key in sorted(news.keys() - schema.inputs)
        ]
        failures += [
            provider_pb2.CheckFailure(property=key, reason=f"{request.type} needs {key!r}")
            for key in sorted(schema.required - news.keys())
        ]
        filled = {key: value for key, value in schema.defaults.items() if key not in news}
        inputs = {**news, **filled}
        if schema.marks_defaults:
            inputs[DEFAULTS] = sorted(filled)
        return provider_pb2.CheckResponse(
            inputs=wire.encode(marked(inputs, schema.secret_inputs)), failures=failures
        )

    def Diff(self, request: Any, context: Context) -> provider_pb2.DiffResponse:
        """What changed."""
        kind = self._kind(request, context)
        change = kind.diff(
            wire.reveal(wire.decode(request.olds)),
            _without_marks(wire.reveal(wire.decode(request.old_inputs))),
            _without_marks(wire.reveal(wire.decode(request.news))),
        )
        kinds = provider_pb2.PropertyDiff
        some = provider_pb2.DiffResponse.DIFF_SOME if change.changed else provider_pb2.DiffResponse.DIFF_NONE
        answer = provider_pb2.DiffResponse(
            changes=some,
            diffs=change.changed,
            replaces=change.replaces,
            stables=change.stables if not change.changed else (),
            hasDetailedDiff=kind.schema.detailed_diff,
        )
        if kind.schema.detailed_diff:
            for key in change.changed:
                how = kinds.UPDATE_REPLACE if key in change.replaces else kinds.UPDATE
                answer.detailedDiff[key].CopyFrom(kinds(kind=how))
        return answer

    def Create(self, request: Any, context: Context) -> provider_pb2.CreateResponse:
        """Make it; in a preview, what only the making tells is unknown."""
        kind = self._kind(request, context)
        inputs = _without_marks(wire.decode(request.properties))
        try:
            resource_id, outputs = kind.create(wire.reveal(inputs), preview=request.preview)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"creating {request.urn}: {error}")
        # What the making tells is not marked before there is something to hide.
        unmade = {key for key, value in outputs.items() if value is wire.UNKNOWN and key not in inputs}
        properties = marked(outputs, kind.schema.secret_outputs - unmade)
        return provider_pb2.CreateResponse(id=resource_id, properties=wire.encode(properties))

    def Read(self, request: Any, context: Context) -> provider_pb2.ReadResponse:
        """The live state; without an id it is gone."""
        kind = self._kind(request, context)
        try:
            live = kind.read(request.id, wire.reveal(wire.decode(request.properties)))
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"refreshing {request.urn}: {error}")
        if live is None:
            return provider_pb2.ReadResponse()
        given = wire.decode(request.inputs)
        # An empty list of defaults is not kept.
        inputs: Properties = {key: value for key, value in given.items() if key != DEFAULTS or value}
        for key in (given or live).keys() & kind.schema.inputs:
            value = live.get(key)
            inputs[key] = wire.Secret(value) if key in kind.schema.secret_inputs else value
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=wire.encode(marked(live, kind.schema.secret_outputs)),
            inputs=wire.encode(inputs),
        )

    def Update(self, request: Any, context: Context) -> provider_pb2.UpdateResponse:
        """Change it in place."""
        kind = self._kind(request, context)
        olds = wire.reveal(wire.decode(request.olds))
        news = _without_marks(wire.decode(request.news))
        try:
            outputs = kind.update(olds, wire.reveal(news), preview=request.preview)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"updating {request.urn}: {error}")
        return provider_pb2.UpdateResponse(
            properties=wire.encode(marked(outputs, kind.schema.secret_outputs))
        )

    def Delete(self, request: Any, context: Context) -> empty_pb2.Empty:
        """Remove it."""
        kind = self._kind(request, context)
        try:
            kind.delete(request.id, wire.reveal(wire.decode(request.properties)))
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"deleting {request.urn}: {error}")
        return empty_pb2.Empty()

    def _kind(self, request: Any, context: Context) -> Kind:
        return self.kinds()[self.known_type(request, context)]


def _without_marks(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if key != DEFAULTS}
