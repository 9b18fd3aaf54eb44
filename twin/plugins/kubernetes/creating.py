"""Create: post a new object and wait until it is ready, or ask what it would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plugins.kubernetes import objects, texts
from twin.plugins.kubernetes.errors import (
    ApiError,
    AwaitError,
    InitFailedError,
    PluginError,
    UnreachableError,
)
from twin.plugins.kubernetes.session import Resource, Session, latest
from twin.plugins.wire import has_unknown, reveal

if TYPE_CHECKING:
    from twin.plugins.kubernetes.client import Client

# A namespace that is being made, or a default that a controller adds a moment later.
NOT_FOUND_ATTEMPTS = 5
NOT_FOUND_FIRST_SECONDS = 0.25


def preview_create(session: Session, resource: Resource, inputs: objects.Object) -> objects.Object:
    """What the object would be: by the server's dry run, else the inputs alone."""
    if has_unknown(inputs):
        return inputs
    manager = objects.new_field_manager()
    try:
        live = _post(session, session.cluster.client(), resource, inputs, manager, dry_run=True)
    except UnreachableError:
        return inputs
    except ApiError as error:
        # No namespace yet; no right to try; the old object of a replacement is still there.
        if error.not_found or error.forbidden or error.already_exists:
            if error.forbidden:
                session.log.status(resource.urn, f"Retry #0; creation failed: {error.message}")
            return inputs
        raise PluginError(texts.not_created(resource.urn, error)) from error
    without_status = {key: value for key, value in live.items() if key != "status"}
    return objects.outputs(inputs, without_status, manager, resource.kind.api_version)


def create(session: Session, resource: Resource, inputs: objects.Object) -> tuple[str, objects.Object]:
    """Make the object and wait until it is ready; id and outputs."""
    client = session.cluster.for_changes()
    manager = objects.new_field_manager()
    try:
        live = _create_patiently(session, client, resource, inputs, manager)
    except (ApiError, UnreachableError) as error:
        raise PluginError(texts.not_created(resource.urn, error)) from error
    object_id = objects.qualified_name(live)
    try:
        session.wait(client, resource, inputs, live)
    except AwaitError as error:
        live = latest(client, resource, live)
        raise InitFailedError(
            texts.created_but(resource.urn, error.message),
            object_id=object_id,
            properties=objects.outputs(inputs, live, manager, resource.kind.api_version),
            inputs=inputs,
            reasons=error.reasons,
        ) from error
    live = latest(client, resource, live)
    return object_id, objects.outputs(inputs, live, manager, resource.kind.api_version)


def _create_patiently(
    session: Session, client: Client, resource: Resource, inputs: objects.Object, manager: str
) -> objects.Object:
    pause = NOT_FOUND_FIRST_SECONDS
    for attempt in range(NOT_FOUND_ATTEMPTS):
        try:
            return _post(session, client, resource, inputs, manager, dry_run=False)
        except ApiError as error:
            if not error.not_found or attempt == NOT_FOUND_ATTEMPTS - 1:
                raise
            session.log.status(resource.urn, f"Retry #{attempt}; creation failed: {error.message}")
        if session.cancelled.wait(pause):
            break
        pause *= 2
    raise ApiError(0, "Cancelled", "cancelled while waiting for the namespace")


def _post(
    session: Session,
    client: Client,
    resource: Resource,
    inputs: objects.Object,
    manager: str,
    *,
    dry_run: bool,
) -> objects.Object:
    body = reveal(inputs)
    if session.config.flag("upsertExistingObjects"):
        force = session.force(inputs)
        return client.apply(resource.kind, body, manager, force=force, dry_run=dry_run)
    return client.create(resource.kind, body, manager, dry_run=dry_run)
