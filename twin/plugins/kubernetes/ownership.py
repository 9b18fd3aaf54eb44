"""Who owns an object's fields.

Create posts, so the server notes our fields under "Update"; server-side apply then counts the same manager's
"Apply" as somebody else. Before an update the fields that we, or somebody with kubectl, set that way are
handed to our "Apply" entry, so that only real rivals (the scale subresource, controllers) conflict.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twin.plugins.kubernetes.errors import ApiError

if TYPE_CHECKING:
    from twin.plugins.kubernetes import objects
    from twin.plugins.kubernetes.client import Client
    from twin.plugins.kubernetes.kinds import Kind

TAKEN_OVER = {
    "Apply": ("kubectl",),
    "Update": ("kubectl", "before-first-apply", "pulumi-kubernetes", "pulumi-resource-kubernetes"),
}
ATTEMPTS = 4
CONFLICT = re.compile(r'conflicts? with "(?P<manager>[^"]+)"(?P<rest>[^:,]*)')


def take_over(client: Client, kind: Kind, live: objects.Object, manager: str) -> None:
    """Hand the fields of kubectl and of our own Create to `manager`."""
    for attempt in range(ATTEMPTS):
        meta = live["metadata"]
        merged = merged_fields(meta.get("managedFields") or [], manager)
        if merged is None:
            return
        operations = [
            {"op": "replace", "path": "/metadata/managedFields", "value": merged},
            # Refused by the server when the object changed since it was read.
            {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
        ]
        try:
            client.patch(kind, meta.get("namespace", ""), meta["name"], operations)
        except ApiError as error:
            if not error.conflict or attempt == ATTEMPTS - 1:
                raise
            live = client.get(kind, meta.get("namespace", ""), meta["name"])
        else:
            return


def merged_fields(entries: list[dict[str, Any]], manager: str) -> list[dict[str, Any]] | None:
    """The entries with all that is taken over under `manager`; None when there is nothing to take."""
    taken = [entry for entry in entries if _is_taken_over(entry) and not _is_ours(entry, manager)]
    if not taken:
        return None
    ours = [entry for entry in entries if _is_ours(entry, manager)]
    rest = [entry for entry in entries if entry not in taken and entry not in ours]
    fields: dict[str, Any] = {}
    for entry in [*ours, *taken]:
        fields = _union(fields, entry.get("fieldsV1") or {})
    first = (ours or taken)[0]
    kept = {key: value for key, value in first.items() if key not in ("manager", "operation", "fieldsV1")}
    return [{**kept, "manager": manager, "operation": "Apply", "fieldsV1": fields}, *rest]


def only_taken_over(error: ApiError) -> bool:
    """Whether a conflict is only with managers that a real update takes over first.

    A preview changes nothing, also not the owners, so its dry run meets them.
    """
    found = list(CONFLICT.finditer(error.message))
    return bool(found) and all(
        "subresource" not in match["rest"] and match["manager"].startswith(TAKEN_OVER["Update"])
        for match in found
    )


def _is_ours(entry: dict[str, Any], manager: str) -> bool:
    return (
        entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
    )


def _is_taken_over(entry: dict[str, Any]) -> bool:
    prefixes = TAKEN_OVER.get(str(entry.get("operation")), ())
    return str(entry.get("manager")).startswith(prefixes) and not entry.get("subresource")


def _union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        result[key] = _union(result[key], value) if key in result else value
    return result
