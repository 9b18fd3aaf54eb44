"""Read: the live object, for a refresh, an import, or a look at a Job before a Diff."""

from __future__ import annotations

from twin.plugins.kubernetes import await_job, awaiting, objects, texts
from twin.plugins.kubernetes.errors import (
    ApiError,
    AwaitError,
    InitFailedError,
    PluginError,
    UnreachableError,
)
from twin.plugins.kubernetes.session import LOOKS, Resource, Session
from twin.plugins.wire import has_unknown


def read(
    session: Session, resource: Resource, object_id: str, properties: objects.Object, inputs: objects.Object
) -> tuple[str, objects.Object, objects.Object]:
    """Id, outputs and inputs of the live object; an empty id when it is gone."""
    kind = resource.kind
    namespace, name = objects.split_id(object_id, kind, session.cluster.namespace)
    try:
        client = session.cluster.client()
        live = client.get(kind, namespace, name)
    except UnreachableError as error:
        return _unreachable_read(session, resource, object_id, properties, inputs, error)
    except ApiError as error:
        if error.not_found:
            return "", {}, {}
        raise PluginError(error.message) from error
    imported = not inputs
    new_inputs = objects.imported_inputs(live) if imported else objects.refreshed_inputs(live, inputs)
    manager = properties.get("__fieldManager") or objects.new_field_manager()
    initial = properties.get("__initialApiVersion") or kind.api_version
    outputs = objects.outputs(new_inputs, live, str(manager), str(initial))
    look = LOOKS.get(kind.name)
    if look and not imported and not objects.switched_on(inputs, objects.SKIP_AWAIT):
        try:
            awaiting.once(client, kind, live, look)
        except AwaitError as error:
            raise InitFailedError(
                error.message,
                object_id=object_id,
                properties=outputs,
                inputs=new_inputs,
                reasons=error.reasons,
            ) from error
    return objects.qualified_name(live), outputs, new_inputs


def _unreachable_read(
    session: Session,
    resource: Resource,
    object_id: str,
    properties: objects.Object,
    inputs: objects.Object,
    error: UnreachableError,
) -> tuple[str, objects.Object, objects.Object]:
    if session.config.flag("deleteUnreachable"):
        session.log.warning(resource.urn, texts.DELETED_UNREACHABLE)
        return "", {}, {}
    if session.config.flag("skipUpdateUnreachable") and properties:
        session.log.warning(resource.urn, texts.SKIPPED_UNREACHABLE)
        return object_id, properties, inputs
    raise PluginError(texts.READ_UNREACHABLE) from error


def is_unready_job(session: Session, resource: Resource, inputs: objects.Object) -> bool:
    """Whether the live Job calls for a new one: `replaceUnready` is on and it is not complete."""
    if resource.kind.name != "Job" or not objects.switched_on(inputs, objects.REPLACE_UNREADY):
        return False
    meta = objects.metadata(inputs)
    if has_unknown(meta.get("name")) or has_unknown(meta.get("namespace")):
        return False
    try:
        client = session.cluster.client()
        live = client.get(resource.kind, str(meta.get("namespace")), str(meta.get("name")))
        return not await_job.is_complete(live)
    except UnreachableError:
        session.log.warning(resource.urn, "Cluster is unreachable, skipping replaceUnready check")
    except ApiError:
        # Gone, or not ours to see: nothing to say about it.
        pass
    return False
