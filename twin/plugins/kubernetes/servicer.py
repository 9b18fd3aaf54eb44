# ruff: noqa: N802 - the methods have the names of the protocol
"""The gRPC face of the plugin: requests in, answers out, nothing decided here."""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from twin.plugins import wire
from twin.plugins.kubernetes import check, config, creating, deleting, diff, kinds, objects, reading, updating
from twin.plugins.kubernetes.cluster import Cluster
from twin.plugins.kubernetes.errors import ApiError, InitFailedError, PluginError, UnreachableError
from twin.plugins.kubernetes.session import Resource, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twin.plugins.engine_log import EngineLog

# The official version whose recorded behaviour this follows; the engine asks for exactly it.
VERSION = "4.34.2"
UNKNOWN_CODE = 2
Answer = TypeVar("Answer")
Context = grpc.ServicerContext


def _answering(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """Turn this package's errors into gRPC ones."""

    @wraps(method)
    def wrapped(self: KubernetesProvider, request: Any, context: Context) -> Answer:
        try:
            return method(self, request, context)
        except InitFailedError as error:
            _abort_init_failed(context, error)
        except PluginError as error:
            context.abort(error.code, error.message)
        except (ApiError, UnreachableError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return wrapped


def _abort_init_failed(context: Context, error: InitFailedError) -> NoReturn:
    """The error with what the engine shall keep in the state, packed into the status's details."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.object_id,
        properties=wire.encode(error.properties),
        reasons=error.reasons,
        inputs=wire.encode(error.inputs),
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(code=UNKNOWN_CODE, message=error.message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, error.message)


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider as the engine sees it.

    Methods that are not here answer Unimplemented.
    """

    def __init__(self, log: EngineLog, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = environment
        self._cancelled = threading.Event()
        self._session = Session(Cluster(config.read({}, environment), environment), log, self._cancelled)

    def Handshake(
        self, _request: provider_pb2.ProviderHandshakeRequest, context: Context
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Declined, as the official plugin does: the engine then says everything in Configure."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "method Handshake not implemented")

    def GetPluginInfo(self, _request: empty_pb2.Empty, _context: Context) -> plugin_pb2.PluginInfo:
        """Which plugin this is."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: plugin_pb2.PluginAttach, _context: Context) -> empty_pb2.Empty:
        """Where the engine's log is."""
        self._log.connect(request.address)
        return empty_pb2.Empty()

    def Cancel(self, _request: empty_pb2.Empty, _context: Context) -> empty_pb2.Empty:
        """Stop waiting, at once."""
        self._cancelled.set()
        return empty_pb2.Empty()

    @_answering
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, _context: Context
    ) -> provider_pb2.CheckResponse:
        """Refuse inputs that this provider does not have."""
        news = wire.decode(request.news)
        failures = [
            provider_pb2.CheckFailure(property=key, reason="the kubernetes provider has no such input here")
            for key in config.unknown_keys(news)
        ]
        try:
            settings = config.read(_known(news), self._environment)
        except ValueError as error:
            failures.append(provider_pb2.CheckFailure(property="", reason=str(error)))
        else:
            if not settings.flag("enableServerSideApply"):
                reason = "only server-side apply is known here: omit it"
                failures.append(provider_pb2.CheckFailure(property="enableServerSideApply", reason=reason))
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @_answering
    def DiffConfig(self, request: provider_pb2.DiffRequest, _context: Context) -> provider_pb2.DiffResponse:
        """Which inputs changed; another cluster means that everything is made anew."""
        olds, news = wire.decode(request.old_inputs or request.olds), wire.decode(request.news)
        changed = sorted(
            key
            for key in olds.keys() | news.keys()
            if key != "version" and (wire.has_unknown(news.get(key)) or olds.get(key) != news.get(key))
        )
        replaces: list[str] = []
        if set(changed) & set(config.CLUSTER_KEYS) and config.is_other_cluster(
            _known(olds), _known(news), self._environment
        ):
            replaces = [key for key in changed if key in config.CLUSTER_KEYS]
        return provider_pb2.DiffResponse(changes=_changes(bool(changed)), diffs=changed, replaces=replaces)

    @_answering
    def Configure(
        self, request: provider_pb2.ConfigureRequest, _context: Context
    ) -> provider_pb2.ConfigureResponse:
        """Take the configuration; the cluster is not asked before something needs it."""
        inputs = wire.decode(request.args)
        unknown = config.unknown_keys(inputs)
        if unknown:
            raise PluginError(f"the kubernetes provider has no input {', '.join(unknown)} here")
        try:
            settings = config.read(_known(inputs), self._environment)
        except ValueError as error:
            raise PluginError(str(error)) from error
        unknown_access = any(wire.has_unknown(inputs.get(key)) for key in config.TEXTS)
        cluster = Cluster(config.with_unknown(settings, unknown=unknown_access), self._environment)
        self._session = Session(cluster, self._log, self._cancelled)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @_answering
    def Check(self, request: provider_pb2.CheckRequest, _context: Context) -> provider_pb2.CheckResponse:
        """Complete the inputs with a name, and refuse what is not known."""
        kind = kinds.of_type(_type(request))
        options = request.autonaming if request.HasField("autonaming") else None
        modes = provider_pb2.CheckRequest.AutonamingOptions
        naming = check.Naming(
            resource=request.name or request.urn.rpartition("::")[2],
            seed=request.randomSeed,
            proposed=options.proposed_name if options else "",
            enforced=options is not None and options.mode == modes.ENFORCE,
            disabled=options is not None and options.mode == modes.DISABLE,
        )
        inputs, failures = check.check(
            kind,
            wire.decode(request.news),
            wire.decode(request.olds),
            naming,
            self._session.cluster.namespace,
        )
        return provider_pb2.CheckResponse(
            inputs=wire.encode(inputs),
            failures=[provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in failures],
        )

    @_answering
    def Diff(self, request: provider_pb2.DiffRequest, _context: Context) -> provider_pb2.DiffResponse:
        """What changed, and whether that takes a new object."""
        kind = kinds.of_type(_type(request))
        olds, news = wire.decode(request.olds), wire.decode(request.news)
        # Not the engine's old inputs: after a failed update those are the ones before, these were applied.
        old_inputs = olds.get("__inputs") or wire.decode(request.old_inputs)
        unready = reading.is_unready_job(self._session, Resource(request.urn, kind), news)
        result = diff.compare(
            kind,
            old_inputs,
            news,
            self._session.cluster.config,
            unready=unready,
            ignored=list(request.ignoreChanges),
        )
        detailed = {
            path: provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(change))
            for path, change in result.changes.items()
        }
        return provider_pb2.DiffResponse(
            changes=_changes(result.any),
            replaces=result.replaces,
            deleteBeforeReplace=result.delete_first,
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    @_answering
    def Create(self, request: provider_pb2.CreateRequest, _context: Context) -> provider_pb2.CreateResponse:
        """Make an object, or say what it would be."""
        resource = Resource(request.urn, kinds.of_type(_type(request)), request.timeout)
        inputs = wire.decode(request.properties)
        if request.preview:
            properties = creating.preview_create(self._session, resource, inputs)
            return provider_pb2.CreateResponse(properties=wire.encode(properties))
        object_id, properties = creating.create(self._session, resource, inputs)
        return provider_pb2.CreateResponse(id=object_id, properties=wire.encode(properties))

    @_answering
    def Read(self, request: provider_pb2.ReadRequest, _context: Context) -> provider_pb2.ReadResponse:
        """The live object, for a refresh or an import."""
        resource = Resource(request.urn, kinds.of_type(_type(request)))
        properties, inputs = wire.decode(request.properties), wire.decode(request.inputs)
        object_id, properties, inputs = reading.read(self._session, resource, request.id, properties, inputs)
        if not object_id:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=object_id, properties=wire.encode(properties), inputs=wire.encode(inputs)
        )

    @_answering
    def Update(self, request: provider_pb2.UpdateRequest, _context: Context) -> provider_pb2.UpdateResponse:
        """Change an object, or say what it would become."""
        resource = Resource(request.urn, kinds.of_type(_type(request)), request.timeout)
        olds, news = wire.decode(request.olds), wire.decode(request.news)
        ignored = list(request.ignoreChanges)
        if request.preview:
            properties = updating.preview_update(self._session, resource, olds, news, ignored)
        else:
            old_inputs = wire.decode(request.old_inputs)
            properties = updating.update(self._session, resource, olds, old_inputs, news, ignored)
        return provider_pb2.UpdateResponse(properties=wire.encode(properties))

    @_answering
    def Delete(self, request: provider_pb2.DeleteRequest, _context: Context) -> empty_pb2.Empty:
        """Delete an object and wait until it is gone."""
        resource = Resource(request.urn, kinds.of_type(_type(request)), request.timeout)
        properties, inputs = wire.decode(request.properties), wire.decode(request.old_inputs)
        deleting.delete(self._session, resource, request.id, properties, inputs)
        return empty_pb2.Empty()


def _type(request: Any) -> str:
    """The resource's type; an older engine says it in the URN alone."""
    return str(request.type or request.urn.split("::")[2].rpartition("$")[2])


def _known(inputs: objects.Object) -> objects.Object:
    """The provider's inputs with secrets revealed, and without what is not known yet."""
    revealed = wire.reveal(inputs)
    return {key: value for key, value in revealed.items() if not wire.has_unknown(value)}


def _changes(changed: bool) -> provider_pb2.DiffResponse.DiffChanges.ValueType:
    return provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
