"""One provider of each kind, configured here and handed down from the top: default ones are disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s
import pulumi_random as random

from components.database import database_provider

if TYPE_CHECKING:
    import pulumi

    from model.settings import Settings


def providers(settings: Settings, admin_url: pulumi.Output[str]) -> list[pulumi.ProviderResource]:
    """Kubernetes, PostgreSQL and random; Docker too where an image is to be built."""
    cluster = settings.cluster
    found: list[pulumi.ProviderResource] = [
        k8s.Provider(
            "kubernetes",
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            enable_server_side_apply=True,
            # Without it a `kubectl scale` ends every later refresh in a field conflict.
            enable_patch_force=True,
            # For one `up`: a namespace made by hand, or an object that a killed `up` left behind.
            upsert_existing_objects=cluster.take_over,
        ),
        database_provider("postgresql", settings.database, admin_url),
        random.Provider("random"),
    ]
    images = settings.images
    if any(image and image.build for image in (images.backend, images.frontend, images.ops)):
        import pulumi_docker  # noqa: PLC0415 - with digests set, Docker's SDK is not even imported

        found.append(pulumi_docker.Provider("docker"))
    return found
