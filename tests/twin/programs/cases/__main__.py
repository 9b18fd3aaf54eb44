"""Each case is switched on by its name in the configuration `cases`, a list of words."""

import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
cases = (config.get("cases") or "").split()
image = config.require("image")
provider = k8s.Provider(
    "k8s",
    enable_server_side_apply=True,
    enable_patch_force=True,
    upsert_existing_objects=config.get_bool("take-over") or False,
)
opts = pulumi.ResourceOptions(provider=provider)
namespace = k8s.core.v1.Namespace("cases", metadata={"name": "cases"}, opts=opts)
name = namespace.metadata["name"]


def pod(script: str, restart: str = "Always") -> dict:
    return {
        "restart_policy": restart,
        "termination_grace_period_seconds": 0,
        "containers": [
            {"name": "m", "image": image, "image_pull_policy": "Never", "command": ["sh", "-c", script]}
        ],
    }


if "job" in cases:
    annotations = {"pulumi.com/replaceUnready": "true"} if "replace-unready" in cases else {}
    k8s.batch.v1.Job(
        "job",
        metadata={"namespace": name, "annotations": annotations},
        spec={"backoff_limit": 0, "template": {"spec": pod(config.require("script"), "Never")}},
        opts=opts,
    )
if "taken" in cases:
    k8s.core.v1.ConfigMap(
        "taken", metadata={"name": "taken", "namespace": name}, data={"by": "pulumi"}, opts=opts
    )
if "imported" in cases:
    k8s.core.v1.ConfigMap(
        "imported",
        metadata={"name": "imported", "namespace": "cases"},
        data={"by": "hand"},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(import_="cases/imported")),
    )
if "secret" in cases:
    k8s.core.v1.Secret(
        "secret", metadata={"namespace": name}, string_data={"word": config.require_secret("word")}, opts=opts
    )
if "served" in cases:
    labels = {"app": "served"}
    k8s.apps.v1.StatefulSet(
        "served",
        metadata={"name": "served", "namespace": name},
        spec={
            "service_name": "served",
            "replicas": 1,
            "selector": {"match_labels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod("sleep 3600")},
        },
        opts=opts,
    )
    k8s.core.v1.Service(
        "served",
        metadata={"name": "served", "namespace": name},
        spec={"selector": labels, "ports": [{"port": 80, "target_port": 8080}]},
        opts=opts,
    )
