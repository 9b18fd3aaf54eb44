"""The kinds that the stand-in manages: where they live, and which changes mean a new object.

A kind is added here when the stack uses it; anything else is refused in Check rather than half managed.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.plugins.kubernetes.errors import PluginError

TYPE_PREFIX = "kubernetes:"


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes:
        api_version: as in a manifest, `v1` or `group/version`.
        name: the kind.
        plural: its name in paths.
        namespaced: whether it lives in a namespace.
        replace_on: property paths whose change needs a new object.
        fields: the top-level fields a manifest of this kind may have besides the common ones.

    """

    api_version: str
    name: str
    plural: str
    namespaced: bool = True
    replace_on: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("spec",)

    @property
    def collection(self) -> str:
        """The path of the API group and version."""
        return f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"

    def path(self, namespace: str, name: str = "") -> str:
        """The path of the collection in `namespace`, or of the object called `name`."""
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{self.collection}{scope}/{self.plural}" + (f"/{name}" if name else "")


_RBAC = "rbac.authorization.k8s.io/v1"
_NETWORKING = "networking.k8s.io/v1"

_TABLE = (
    Kind("v1", "Namespace", "namespaces", namespaced=False),
    Kind(
        "v1",
        "ConfigMap",
        "configmaps",
        replace_on=("binaryData", "data"),
        fields=("binaryData", "data", "immutable"),
    ),
    Kind(
        "v1",
        "Secret",
        "secrets",
        replace_on=("data", "stringData", "type"),
        fields=("data", "stringData", "type", "immutable"),
    ),
    Kind("v1", "Service", "services", replace_on=("spec.clusterIP",)),
    Kind(
        "v1",
        "ServiceAccount",
        "serviceaccounts",
        fields=("automountServiceAccountToken", "imagePullSecrets", "secrets"),
    ),
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", replace_on=("spec",)),
    Kind("v1", "ResourceQuota", "resourcequotas", replace_on=("spec.scopes",)),
    Kind("v1", "LimitRange", "limitranges"),
    Kind("apps/v1", "Deployment", "deployments", replace_on=("spec.selector",)),
    Kind(
        "apps/v1",
        "StatefulSet",
        "statefulsets",
        replace_on=(
            "spec.podManagementPolicy",
            "spec.revisionHistoryLimit",
            "spec.selector",
            "spec.serviceName",
            "spec.volumeClaimTemplates",
        ),
    ),
    Kind(
        "batch/v1",
        "Job",
        "jobs",
        replace_on=("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ),
    Kind("batch/v1", "CronJob", "cronjobs"),
    Kind(_NETWORKING, "Ingress", "ingresses"),
    Kind(_NETWORKING, "NetworkPolicy", "networkpolicies"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind(_RBAC, "Role", "roles", fields=("rules",)),
    Kind(_RBAC, "RoleBinding", "rolebindings", replace_on=("roleRef",), fields=("roleRef", "subjects")),
    Kind(_RBAC, "ClusterRole", "clusterroles", namespaced=False, fields=("rules", "aggregationRule")),
    Kind(
        _RBAC,
        "ClusterRoleBinding",
        "clusterrolebindings",
        namespaced=False,
        replace_on=("roleRef",),
        fields=("roleRef", "subjects"),
    ),
)

# Not managed, only looked at while something is awaited.
POD = Kind("v1", "Pod", "pods")
REPLICA_SET = Kind("apps/v1", "ReplicaSet", "replicasets")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices")


def type_token(kind: Kind) -> str:
    """The kind's Pulumi type, for instance `kubernetes:core/v1:Namespace`."""
    group_version = kind.api_version if "/" in kind.api_version else f"core/{kind.api_version}"
    return f"{TYPE_PREFIX}{group_version}:{kind.name}"


_BY_TYPE = {type_token(kind): kind for kind in _TABLE}


def of_type(token: str) -> Kind:
    """The kind of a Pulumi type token.

    Raises:
        PluginError: it is none of the kinds managed here.

    """
    kind = _BY_TYPE.get(token)
    if kind is None:
        known = ", ".join(sorted(_BY_TYPE))
        raise PluginError(
            f"the twin's stand-in for the kubernetes plugin does not manage {token}; it knows {known}. "
            "Use the official plugin, or add the kind to twin/plugins/kubernetes/kinds.py"
        )
    return kind
