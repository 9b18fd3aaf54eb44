# ruff: noqa: N802 - the methods have the names of the protocol
"""What the stand-ins for docker, random and postgresql share: the calls about the provider itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from twin.plugins import wire

if TYPE_CHECKING:
    from collections.abc import Collection

Context = grpc.ServicerContext
Properties = dict[str, Any]


class ProviderError(Exception):
    """What the user is told; it never holds a secret."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """A provider's own half of the protocol; methods that are not here answer Unimplemented."""

    version = ""
    handshake_refusal = "method Handshake not implemented"
    config_inputs: frozenset[str] = frozenset()
    secret_config: frozenset[str] = frozenset()
    accepts_secrets = False
    accepts_resources = False

    def types(self) -> Collection[str]:
        """The type tokens that it knows."""
        raise NotImplementedError

    def configure(self, config: Properties) -> None:
        """Take the provider's configuration; connects to nothing."""

    def Handshake(self, _request: Any, context: Context) -> Any:
        """Declined, as the official plugins do."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, self.handshake_refusal)

    def GetPluginInfo(self, _request: Any, _context: Context) -> plugin_pb2.PluginInfo:
        """Which plugin this is."""
        return plugin_pb2.PluginInfo(version=self.version)

    def Attach(self, _request: Any, _context: Context) -> empty_pb2.Empty:
        """Nothing to do."""
        return empty_pb2.Empty()

    def Cancel(self, _request: Any, _context: Context) -> empty_pb2.Empty:
        """Nothing here waits for long."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, _context: Context) -> provider_pb2.CheckResponse:
        """Refuse inputs that the provider does not have; mark the secret ones."""
        news = wire.decode(request.news)
        failures = [
            provider_pb2.CheckFailure(property=key, reason="the provider has no such input here")
            for key in sorted(news.keys() - self.config_inputs - {"version"})
        ]
        return provider_pb2.CheckResponse(
            inputs=wire.encode(marked(news, self.secret_config)), failures=failures
        )

    def DiffConfig(self, request: Any, _context: Context) -> provider_pb2.DiffResponse:
        """Changed configuration is taken without replacing anything."""
        olds = wire.reveal(wire.decode(request.old_inputs or request.olds))
        news = wire.reveal(wire.decode(request.news))
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        if not changed:
            return provider_pb2.DiffResponse()
        kinds = provider_pb2.PropertyDiff
        how = {
            key: kinds.ADD if key not in olds else kinds.DELETE if key not in news else kinds.UPDATE
            for key in changed
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=changed,
            detailedDiff={key: kinds(kind=kind, inputDiff=True) for key, kind in how.items()},
        )

    def Configure(self, request: Any, _context: Context) -> provider_pb2.ConfigureResponse:
        """Take the configuration."""
        self.configure(wire.reveal(wire.decode(request.args)))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=self.accepts_secrets,
            supportsPreview=True,
            acceptResources=self.accepts_resources,
            supports_autonaming_configuration=True,
        )

    def known_type(self, request: Any, context: Context) -> str:
        """The request's type token; ends the call where it is not one of `types`."""
        token = str(request.type or request.urn.split("::")[2].rpartition("$")[2])
        if token not in self.types():
            known = ", ".join(sorted(self.types()))
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"{token} is not known to this stand-in, which knows {known}"
            )
        return token


def marked(properties: Properties, secret: frozenset[str]) -> Properties:
    """The properties with those named in `secret` marked."""
    return {
        key: wire.Secret(value) if key in secret and not isinstance(value, wire.Secret) else value
        for key, value in properties.items()
    }
