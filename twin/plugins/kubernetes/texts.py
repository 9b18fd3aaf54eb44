"""Messages to the user. Where the official plugin was recorded, they are its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plugins.kubernetes import objects

if TYPE_CHECKING:
    from twin.plugins.kubernetes.errors import ApiError, UnreachableError

READ_UNREACHABLE = (
    "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove "
    "this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE "
    'environment variable set to "true"'
)
DELETED_UNREACHABLE = (
    "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is set: forgotten"
)
SKIPPED_UNREACHABLE = "configured Kubernetes cluster is unreachable: its state is kept as it was"
# The engine cancelled: nothing more is known of the cluster.
CANCELLED_READ = "unable to get cluster state: client rate limiter Wait returned an error: context canceled"
ALREADY_EXISTS = """

The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Managing an existing resource: use a Patch resource (e.g. NamespacePatch)
    to manage specific fields without owning the resource lifecycle.
  - Adopting a resource into Pulumi: use `pulumi import`. Note that
    protected resources (e.g. kube-system) cannot be deleted on destroy.
  - Intentional upsert: set upsertExistingObjects on the provider to allow
    server-side apply to update existing objects on create."""
CONFLICT_HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"
)


def not_created(urn: str, error: ApiError | UnreachableError) -> str:
    """The API server did not take it."""
    text = f'resource "{urn}" was not successfully created by the Kubernetes API server: {error}'
    return text + (ALREADY_EXISTS if getattr(error, "already_exists", False) else "")


def created_but(urn: str, cause: str) -> str:
    """It is there, but not ready."""
    return (
        f'resource "{urn}" was successfully created, but the Kubernetes API server reported that it failed '
        f"to fully initialize or become live: {cause}"
    )


def not_updated(inputs: objects.Object, cause: str) -> str:
    """It is there, but the update did not take, or did not become ready."""
    name = objects.qualified_name(inputs)
    return (
        f'the Kubernetes API server reported that "{name}" failed to fully initialize or become live: {cause}'
    )


def explained(error: ApiError, manager: str) -> str:
    """The server's words; for a conflict of field managers with where to read about it."""
    if not error.conflict:
        return error.message
    return (
        f"server-side apply field conflict detected, see {CONFLICT_HELP} for troubleshooting help\n"
        f'The resource managed by field manager "{manager}" had an apply conflict: {error.message}'
    )
