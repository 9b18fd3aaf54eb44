# ruff: noqa: N802 - the methods have the names of the protocol
"""The gRPC face of the plugin: requests in, answers out."""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from twin.plugins import wire
from twin.plugins.docker import building, daemon, inputs
from twin.plugins.provider import Context, Properties, Provider, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from twin.plugins.engine_log import EngineLog

IMAGE = "docker:index/image:Image"
TIMEOUT_S = 1800
Answer = TypeVar("Answer")


def _answering(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """Refuse other kinds, and turn this package's errors into gRPC ones."""

    @wraps(method)
    def wrapped(self: DockerProvider, request: Any, context: Context) -> Answer:
        self.known_type(request, context)
        try:
            return method(self, request, context)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return wrapped


class DockerProvider(Provider):
    """The provider of images. Reading and deleting ask nobody, as with the official plugin."""

    version = "5.2.0"
    config_inputs = frozenset({"host"})
    # With them it is known which build arguments no output may show.
    accepts_secrets = True

    def __init__(self, log: EngineLog, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = environment
        self._host: Any = None
        self._cancelled = threading.Event()

    def types(self) -> Collection[str]:
        """Images only."""
        return (IMAGE,)

    def configure(self, config: Properties) -> None:
        """Take the daemon's address; nothing is connected before a build."""
        self._host = config.get("host")

    def Attach(self, request: Any, _context: Context) -> empty_pb2.Empty:
        """Where the engine's log is."""
        self._log.connect(request.address)
        return empty_pb2.Empty()

    def Cancel(self, _request: Any, _context: Context) -> empty_pb2.Empty:
        """End every build and push, soon."""
        self._cancelled.set()
        return empty_pb2.Empty()

    @_answering
    def Check(self, request: Any, _context: Context) -> provider_pb2.CheckResponse:
        """Fill in the context's digest; refuse what cannot be built."""
        checked, failures = inputs.check(wire.decode(request.news))
        # The reasons name their inputs: of a nested one the engine would say that its value is <nil>.
        return provider_pb2.CheckResponse(
            inputs=wire.encode(checked),
            failures=[provider_pb2.CheckFailure(reason=reason) for _, reason in failures],
        )

    @_answering
    def Diff(self, request: Any, _context: Context) -> provider_pb2.DiffResponse:
        """What changed; no change takes another resource."""
        olds = wire.reveal(wire.decode(request.olds))
        old_inputs = olds.get("__inputs") or wire.reveal(wire.decode(request.old_inputs))
        changed = inputs.diff(old_inputs, wire.reveal(wire.decode(request.news)))
        if not changed:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        kinds = provider_pb2.PropertyDiff
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            detailedDiff={key: kinds(kind=kinds.Kind.Value(how)) for key, how in changed.items()},
            hasDetailedDiff=True,
        )

    @_answering
    def Create(self, request: Any, _context: Context) -> provider_pb2.CreateResponse:
        """Build and push."""
        given = wire.decode(request.properties)
        made = self._made(given, request)
        if made is None:
            return provider_pb2.CreateResponse(properties=wire.encode(given))
        return provider_pb2.CreateResponse(id=made["imageName"], properties=wire.encode(made))

    @_answering
    def Update(self, request: Any, _context: Context) -> provider_pb2.UpdateResponse:
        """Build and push again; the id stays that of the first image."""
        given = wire.decode(request.news)
        made = self._made(given, request)
        return provider_pb2.UpdateResponse(properties=wire.encode(given if made is None else made))

    @_answering
    def Read(self, request: Any, _context: Context) -> provider_pb2.ReadResponse:
        """What the state has: nobody else changes what a digest names."""
        if not request.properties.fields:
            raise ProviderError(f"{request.id}: an image cannot be imported, only built")
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    @_answering
    def Delete(self, _request: Any, _context: Context) -> empty_pb2.Empty:
        """Leave the image in the registry: pods may run it."""
        return empty_pb2.Empty()

    def _made(self, given: Properties, request: Any) -> Properties | None:
        """The outputs of a build, None where a preview does without one; a preview never pushes."""
        if request.preview and (not given.get("buildOnPreview") or wire.has_unknown(given)):
            return None
        image = inputs.image(given)
        deadline = daemon.Deadline.after(request.timeout or TIMEOUT_S, self._cancelled)
        progress = self._log.for_resource(request.urn)
        with daemon.connected(self._address()) as client:
            local_id = building.build(client, image, deadline, progress)
            digest = local_id if request.preview else building.push(client, image, deadline, progress)
        return inputs.outputs(image, given, digest)

    def _address(self) -> str:
        if self._host is wire.UNKNOWN:
            raise ProviderError("the provider's `host` is known only after the update")
        return str(self._host or self._environment.get("DOCKER_HOST") or daemon.DEFAULT_HOST)
