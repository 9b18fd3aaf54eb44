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
    live: objects.Object | None = None
    try:
        live = live_before(client, resource, olds)
        body = _with_ignored(reveal(inputs), live, ignored)
        ownership.take_over(client, resource.kind, live, manager)
        live = client.apply(resource.kind, body, manager, force=session.force(inputs), dry_run=False)
        session.wait(client, resource, inputs, live)
    except CancelledError as error:
        raise PluginError(
            texts.update_cancelled(resource.urn, error.message), grpc.StatusCode.CANCELLED
        ) from error
    except AwaitError as error:
        assert live is not None  # noqa: S101 - awaited only after it was read
        raise _update_failed(
            session, resource, inputs, inputs, live, manager, initial, error.message, error.reasons
        ) from error
    except UnreachableError as error:
        raise PluginError(f"update of resource {resource.urn!r} failed: {error}") from error
    except ApiError as error:
        message = texts.explained(error, manager)
        if live is None:
            raise PluginError(f'update of resource "{resource.urn}" failed: {message}') from error
        # Not applied: the state keeps the old inputs, so that the next update still sees the change.
        raise _update_failed(
            session, resource, inputs, old_inputs, live, manager, initial, message, []
        ) from error
    return objects.outputs(inputs, latest(client, resource, live), manager, initial)


def _update_failed(
    session: Session,
    resource: Resource,
    inputs: objects.Object,
    state_inputs: objects.Object,
    live: objects.Object,
    manager: str,
    initial: str,
    message: str,
    reasons: list[str],
) -> InitFailedError:
    live = latest(session.cluster.for_changes(), resource, live)
    return InitFailedError(
        texts.not_updated(inputs, message),
        object_id=objects.qualified_name(live),
        properties=objects.outputs(inputs, live, manager, initial),
        inputs=state_inputs,
        reasons=reasons,
    )


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
