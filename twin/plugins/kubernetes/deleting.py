"""Delete: with everything the object owns, awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from twin.plugins.kubernetes import awaiting, objects, texts
from twin.plugins.kubernetes.errors import ApiError, AwaitError, CancelledError, PluginError, UnreachableError

if TYPE_CHECKING:
    from twin.plugins.kubernetes.session import Resource, Session


def delete(
    session: Session, resource: Resource, object_id: str, properties: objects.Object, inputs: objects.Object
) -> None:
    """Delete the object and all that it owns, and wait until it is gone."""
    kind = resource.kind
    namespace, name = objects.split_id(object_id, kind, session.cluster.namespace)
    if session.config.flag("deleteUnreachable"):
        try:
            session.cluster.client()
        except UnreachableError:
            session.log.warning(resource.urn, texts.DELETED_UNREACHABLE)
            return
    client = session.cluster.for_changes()
    propagation = objects.annotation(inputs or properties, objects.DELETION_POLICY) or "foreground"
    try:
        live = client.get(kind, namespace, name)
        client.delete(kind, namespace, name, propagation.capitalize())
        awaiting.until_gone(
            client,
            kind,
            live,
            timeout=awaiting.seconds(inputs or properties, resource.timeout),
            cancelled=session.cancelled,
            progress=session.log.for_resource(resource.urn),
        )
    except ApiError as error:
        if not error.not_found:
            raise PluginError(f'deletion of resource "{resource.urn}" failed: {error.message}') from error
    except CancelledError as error:
        raise PluginError(error.message, grpc.StatusCode.CANCELLED) from error
    except (AwaitError, UnreachableError) as error:
        raise PluginError(f'deletion of resource "{resource.urn}" failed: {error}') from error
