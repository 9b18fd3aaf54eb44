"""The violations of every rule. The tests hold that each breaks its rule and no other."""

from __future__ import annotations

from tests.unit.violation import (
    ANYWHERE,
    CONTAINER,
    CRON_POD,
    JWT,
    LABELS,
    POD,
    SECURITY,
    Violation,
    added,
    role,
)

BACKEND, JOB, MIGRATION = "deployment-backend", "cronjob-model-training-job", "job-migration"
POLICY, INGRESS = "networkpolicy-backend", "ingress-backend"
ROLLING = ("spec", "strategy", "rollingUpdate")
CRON_CONTAINER = (*CRON_POD, "containers", 0)
NAME = "app.kubernetes.io/name"
SCALED = {"scaleTargetRef": {"kind": "Deployment", "name": "redis-exporter"}}

PODS = (
    Violation("run-as-non-root", BACKEND, (*SECURITY, "runAsNonRoot"), value=False),
    Violation("high-user-id", BACKEND, (*SECURITY, "runAsUser"), 9_999),
    Violation("high-user-id", BACKEND, (*SECURITY, "runAsUser")),
    Violation("no-privilege-escalation", BACKEND, (*SECURITY, "allowPrivilegeEscalation")),
    Violation("not-privileged", BACKEND, (*SECURITY, "privileged"), value=True),
    Violation("no-capabilities", BACKEND, (*SECURITY, "capabilities", "drop"), ["NET_RAW"]),
    Violation("no-capabilities", BACKEND, (*SECURITY, "capabilities", "add"), ["SYS_ADMIN"]),
    Violation("no-capabilities", BACKEND, (*SECURITY, "capabilities", "drop")),
    Violation("seccomp-default", BACKEND, (*POD, "securityContext", "seccompProfile")),
    Violation("seccomp-default", BACKEND, (*SECURITY, "seccompProfile"), {"type": "Unconfined"}),
    Violation("read-only-root", JOB, (*CRON_CONTAINER, "securityContext", "readOnlyRootFilesystem")),
    Violation("no-host-namespaces", BACKEND, (*POD, "hostNetwork"), value=True),
    Violation("no-host-namespaces", BACKEND, (*POD, "hostPID"), value=True),
    Violation("no-host-namespaces", JOB, (*CRON_POD, "hostIPC"), value=True),
    Violation("no-host-ports", BACKEND, (*CONTAINER, "ports", 0, "hostPort"), 8000),
    Violation("volume-types", BACKEND, (*POD, "volumes", 0), {"name": "tmp", "hostPath": {"path": "/"}}),
    Violation("bounded-scratch", MIGRATION, (*POD, "volumes", 0, "emptyDir", "sizeLimit")),
    Violation("kernel-guards", BACKEND, (*SECURITY, "procMount"), "Unmasked"),
    Violation("kernel-guards", BACKEND, (*SECURITY, "appArmorProfile"), {"type": "Unconfined"}),
    Violation("kernel-guards", BACKEND, (*POD, "securityContext", "sysctls"), [{"name": "kernel.msgmax"}]),
    Violation("no-service-account-token", BACKEND, (*POD, "automountServiceAccountToken")),
    Violation("no-service-account-token", "serviceaccount-backend", ("automountServiceAccountToken",)),
    Violation(
        "no-service-account-token", BACKEND, (*POD, "volumes", 0),
        {"name": "tmp", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    ),
    Violation("own-service-account", BACKEND, (*POD, "serviceAccountName"), "default"),
    Violation("image-by-digest", BACKEND, (*CONTAINER, "image"), "registry.example.com/backend:1.0"),
    Violation("image-by-digest", BACKEND, (*CONTAINER, "image")),
    Violation("requests-and-limits", BACKEND, (*CONTAINER, "resources", "limits", "memory")),
    Violation("requests-and-limits", JOB, (*CRON_CONTAINER, "resources", "requests", "cpu")),
    Violation("run-as-non-root", BACKEND, (*POD, "initContainers"), [{"name": "first", "securityContext": {
        "runAsNonRoot": False, "runAsUser": 10_001, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True,
    }}], frozenset({"image-by-digest", "requests-and-limits"})),
)  # fmt: skip

CREDENTIALS = (
    *(
        Violation("no-credentials-in-plain", BACKEND, (*CONTAINER, "env", 0, "value"), value)
        for value in (
            "redis://:a-password@redis.example.com:6379",
            "sk-proj-0123456789abcdefghij",
            "-----BEGIN RSA PRIVATE KEY-----",
            "https://hooks.slack.com/services/T0/B0/abc",
            JWT,
        )
    ),
    Violation("no-credentials-in-plain", BACKEND, (*CONTAINER, "env", 0, "name"), "OPENAI_API_KEY"),
    Violation(
        "no-credentials-in-plain", MIGRATION, (*CONTAINER, "args", 0), "postgresql://a:b@db.example.com/x"
    ),
    Violation("no-credentials-in-plain", "configmap-prometheus", ("data", "token"), JWT),
    Violation("no-credentials-in-plain", INGRESS, ("metadata", "annotations", "key"), "AKIA0123456789ABCDEF"),
    Violation("immutable-values", "secret-backend", ("immutable",), value=False),
    Violation("immutable-values", "configmap-verification", ("immutable",)),
)

WORKLOADS = (
    *(
        Violation("probes", BACKEND, (*CONTAINER, f"{name}Probe"))
        for name in ("startup", "readiness", "liveness")
    ),
    Violation("rollout-keeps-serving", BACKEND, (*ROLLING, "maxUnavailable"), 1),
    Violation("rollout-keeps-serving", BACKEND, (*ROLLING, "maxUnavailable"), "50%"),
    Violation("rollout-keeps-serving", BACKEND, ("spec", "strategy", "type"), "Recreate"),
    Violation("spread", BACKEND, (*POD, "topologySpreadConstraints"), []),
    Violation("cron-time-zone", JOB, ("spec", "timeZone")),
    Violation("cron-no-overlap", JOB, ("spec", "concurrencyPolicy"), "Replace"),
    Violation("cron-late-start", JOB, ("spec", "startingDeadlineSeconds"), 5),
    Violation("cron-late-start", JOB, ("spec", "startingDeadlineSeconds")),
    Violation("cron-history", JOB, ("spec", "failedJobsHistoryLimit"), 0),
    Violation("cron-history", JOB, ("spec", "successfulJobsHistoryLimit"), 500),
    Violation("job-deadline", JOB, ("spec", "jobTemplate", "spec", "activeDeadlineSeconds")),
    Violation("job-deadline", MIGRATION, ("spec", "activeDeadlineSeconds")),
    Violation("job-retries", MIGRATION, ("spec", "backoffLimit")),
    Violation("job-retries", JOB, ("spec", "jobTemplate", "spec", "backoffLimit"), 6),
    Violation("job-keeps-its-pods", MIGRATION, (*POD, "restartPolicy"), "OnFailure"),
)

NETWORK = (
    Violation("service-inside", "service-backend", ("spec", "type"), "NodePort"),
    Violation("service-inside", "service-backend", ("spec", "externalIPs"), ["192.0.2.1"]),
    Violation("ingress-tls", INGRESS, ("spec", "tls")),
    Violation("ingress-tls", INGRESS, ("spec", "tls", 0, "secretName")),
    Violation("ingress-tls", INGRESS, ("spec", "rules", 0, "host"), "other.example.com"),
    Violation("ingress-host", INGRESS, ("spec", "rules", 0, "host")),
    Violation("ingress-host", INGRESS, ("spec", "defaultBackend"), {"service": {"name": "backend"}}),
    Violation(
        "ingress-host", INGRESS, ("spec", "rules", 0, "host"), "*.example.com", frozenset({"ingress-tls"})
    ),
    Violation("ingress-no-snippets", INGRESS, (
        "metadata", "annotations", "nginx.ingress.kubernetes.io/configuration-snippet",
    ), "more_set_headers"),
    Violation("no-open-network-policy", POLICY, ("spec", "ingress", 0, "from")),
    Violation("no-open-network-policy", POLICY, ("spec", "ingress", 0, "ports")),
    Violation("no-open-network-policy", POLICY, ("spec", "egress", 0, "to"), []),
    Violation("no-open-network-policy", POLICY, ("spec", "ingress", 0, "from", 0), {"namespaceSelector": {}}),
    Violation("no-open-network-policy", POLICY, (
        "spec", "ingress", 0, "from", 0,
    ), {"ipBlock": {"cidr": "0.0.0.0/0"}}),
    Violation("egress-named", "networkpolicy-frontend", ("spec", "egress", 0), ANYWHERE),
    Violation("no-open-network-policy", POLICY, ("spec", "ingress", 0, "from", 0), {"podSelector": {}}),
    Violation("egress-named", POLICY, ("spec", "egress", 0, "to", 0, "ipBlock", "except")),
    Violation("egress-named", POLICY, ("spec", "egress", 0, "to", 0, "ipBlock", "except"), ["10.0.0.0/8"]),
)  # fmt: skip

ACCESS = (
    Violation("namespace-restricted", "namespace-namespace", (
        "metadata", "labels", "pod-security.kubernetes.io/enforce",
    ), "baseline"),
    role("no-wildcard-rights", verbs=["*"]),
    role("no-wildcard-rights", resources=["*"]),
    role("no-powerful-rights", resources=["secrets"]),
    role("no-powerful-rights", resources=["pods/exec"]),
    role("no-powerful-rights", verbs=["impersonate"]),
    added("no-cluster-wide-rights", "ClusterRole", rules=[]),
    added("no-cluster-wide-rights", "ClusterRoleBinding", roleRef={"kind": "ClusterRole"}),
    added("no-cluster-wide-rights", "RoleBinding", roleRef={"kind": "ClusterRole"}),
    Violation("labels", BACKEND, ("metadata", "labels", "app.kubernetes.io/part-of")),
    added("known-kinds", "Gateway"),
)  # fmt: skip

STACK = (
    Violation("one-namespace", "service-backend", ("metadata", "namespace"), "default", frozenset({
        "routes-lead-somewhere",
    })),
    Violation("one-namespace", "configmap-prometheus", ("metadata", "namespace")),
    Violation("default-deny", "networkpolicy-default-deny", ("spec", "policyTypes"), ["Ingress"]),
    Violation(
        "default-deny", "networkpolicy-default-deny", ("spec", "podSelector"), {"matchLabels": {"a": "b"}}
    ),
    Violation("own-network-policy", "networkpolicy-migration", (
        "spec", "podSelector", "matchLabels", NAME,
    ), "another"),
    Violation("own-network-policy", "networkpolicy-cron-jobs", (
        "spec", "podSelector", "matchExpressions", 0, "operator",
    ), "DoesNotExist"),
    Violation("one-namespace", "networkpolicy-migration", ("metadata", "namespace"), "default", frozenset({
        "own-network-policy",
    })),
    Violation("one-namespace", "resourcequota-limits", ("metadata", "namespace"), "default", frozenset({
        "quota",
    })),
    Violation("default-deny", "networkpolicy-default-deny", ("spec", "policyTypes")),
    Violation("default-deny", "networkpolicy-default-deny", ("spec", "ingress"), [
        {"from": [{"podSelector": {"matchLabels": LABELS}}], "ports": [{"port": 80}]},
    ]),
    Violation("default-deny", "networkpolicy-default-deny", ("spec", "egress"), [ANYWHERE], frozenset({
        "egress-named",
    })),
    Violation("quota", "resourcequota-limits", ("spec", "hard", "limits.memory")),
    Violation("limit-range", "limitrange-limits", ("spec", "limits", 0, "default")),
    Violation("disruption-budget", "poddisruptionbudget-backend", (
        "spec", "selector", "matchLabels", NAME,
    ), "another"),
    Violation("disruption-budget", "poddisruptionbudget-backend", ("spec", "maxUnavailable"), 0),
    Violation("disruption-budget", "poddisruptionbudget-backend", ("spec", "minAvailable"), "60%"),
    Violation("disruption-budget", "deployment-redis-exporter", ("spec", "replicas"), 2, frozenset({
        "spread",
    })),
    added("disruption-budget", "HorizontalPodAutoscaler", spec=SCALED | {"maxReplicas": 3}),
    Violation("limit-range", "limitrange-limits", ("spec", "limits", 0, "defaultRequest")),
    Violation("known-accounts", BACKEND, (*POD, "serviceAccountName"), "another"),
    Violation("routes-lead-somewhere", INGRESS, (
        "spec", "rules", 0, "http", "paths", 0, "backend", "service", "name",
    ), "another"),
    Violation("routes-lead-somewhere", "service-backend", ("spec", "selector", NAME), "another"),
)  # fmt: skip

VIOLATIONS = (*PODS, *CREDENTIALS, *WORKLOADS, *NETWORK, *ACCESS, *STACK)
