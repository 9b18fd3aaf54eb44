"""Update: server-side apply, then wait until the object is ready again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from twin.plugins.kubernetes import objects, ownership, texts
from twin.plugins.kubernetes.errors import (
    ApiError,
    AwaitError,
    CancelledError,
    InitFailedError,
    PluginError,
    UnreachableError,
)
from twin.plugins.kubernetes.session import Resource, Session, latest, live_before
from twin.plugins.wire import has_unknown, reveal

if TYPE_CHECKING:
    from twin.plugins.kubernetes.client import Client


def preview_update(
    session: Session, resource: Resource, olds: objects.Object, inputs: objects.Object, ignored: list[str]
) -> objects.Object:
    """What the object would become: by the server's dry run, else the inputs alone."""
    if has_unknown(inputs):
        return inputs
    manager = str(olds.get("__fieldManager") or objects.new_field_manager())
    try:
        client = session.cluster.client()
        before = live_before(client, resource, olds)
        body = _with_ignored(reveal(inputs), before, ignored)
        live = _dry_apply(session, client, resource, body, manager)
    except UnreachableError:
        return inputs
    except ApiError as error:
        if error.forbidden:
            session.log.status(resource.urn, error.message)
            return inputs
        raise PluginError(texts.not_updated(inputs, texts.explained(error, manager))) from error
    initial = str(olds.get("__initialApiVersion") or resource.kind.api_version)
    return objects.outputs(inputs, live, manager, initial)


def _dry_apply(
    session: Session, client: Client, resource: Resource, body: objects.Object, manager: str
) -> objects.Object:
    force = session.force(body)
    try:
        return client.apply(resource.kind, body, manager, force=force, dry_run=True)
    except ApiError as error:
        if not error.conflict or not ownership.only_taken_over(error):
            raise
        return client.apply(resource.kind, body, manager, force=True, dry_run=True)


def update(
    session: Session,
    resource: Resource,
    olds: objects.Object,
    old_inputs: objects.Object,
    inputs: objects.Object,
    ignored: list[str],
) -> objects.Object:
    """Apply the new inputs and wait until the object is ready again; its outputs."""
    client = session.cluster.for_changes()
    manager = str(olds.get("__fieldManager") or objects.new_field_manager())
    initial = str(olds.get("__initialApiVersion") or resource.kind.api_version)
    failed = f'update of resource "{resource.urn}" failed'
    try:
        live = live_before(client, resource, olds)
    except (ApiError, UnreachableError) as error:
        raise PluginError(f"{failed}: {error}") from error
    try:
        body = _with_ignored(reveal(inputs), live, ignored)
        ownership.take_over(client, resource.kind, live, manager)
        live = client.apply(resource.kind, body, manager, force=session.force(inputs), dry_run=False)
        session.wait(client, resource, inputs, live)
    except CancelledError as error:
        message = f"{failed}: {error.message}\n{texts.CANCELLED_READ}"
        raise PluginError(message, grpc.StatusCode.CANCELLED) from error
    except UnreachableError as error:
        raise PluginError(f"{failed}: {error}") from error
    except (ApiError, AwaitError) as error:
        live = latest(client, resource, live)
        cause = texts.explained(error, manager) if isinstance(error, ApiError) else error.message
        # The outputs say what was sent, the state's inputs stay those before, as with the official one: the
        # next Diff compares with the first, and the engine tries again because of the error itself.
        raise InitFailedError(
            texts.not_updated(inputs, cause),
            object_id=objects.qualified_name(live),
            properties=objects.outputs(inputs, live, manager, initial),
            inputs=old_inputs,
            reasons=error.reasons if isinstance(error, AwaitError) else [],
        ) from error
    return objects.outputs(inputs, latest(client, resource, live), manager, initial)


def _with_ignored(body: objects.Object, live: objects.Object, ignored: list[str]) -> objects.Object:
    """The inputs with the live value wherever the program ignores changes (`ignoreChanges`)."""
    for path in ignored:
        keys = path.split(".")
        source: Any = live
        for key in keys:
            source = source.get(key) if isinstance(source, dict) else None
        if source is None:
            continue
        target: Any = body
        for key in keys[:-1]:
            target = target.setdefault(key, {})
        target[keys[-1]] = source
    return body
