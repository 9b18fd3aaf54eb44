"""A namespace, configuration, a Deployment that reads it, and a Job before it."""

import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
provider = k8s.Provider("k8s", enable_server_side_apply=True, enable_patch_force=True)
opts = pulumi.ResourceOptions(provider=provider)
namespace = k8s.core.v1.Namespace("small", metadata={"name": "small"}, opts=opts)
name = namespace.metadata["name"]
settings = k8s.core.v1.ConfigMap(
    "settings",
    metadata={"namespace": name},
    immutable=True,
    data={"greeting": config.get("greeting") or "hello"},
    opts=opts,
)
labels = {"app": "web"}
k8s.apps.v1.Deployment(
    "web",
    metadata={"name": "web", "namespace": name},
    spec={
        "replicas": config.get_int("replicas") or 1,
        "selector": {"match_labels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "termination_grace_period_seconds": 0,
                "containers": [
                    {
                        "name": "web",
                        "command": ["sleep", "3600"],
                        "image": config.require("image"),
                        "image_pull_policy": "Never",
                        "env": [
                            {
                                "name": "GREETING",
                                "value_from": {
                                    "config_map_key_ref": {
                                        "name": settings.metadata["name"],
                                        "key": "greeting",
                                    }
                                },
                            }
                        ],
                    }
                ],
            },
        },
    },
    opts=pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="60s", update="20s"))
    ),
)
pulumi.export("settings", settings.metadata["name"])
