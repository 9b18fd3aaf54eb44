"""Every image by digest: passed through where one is configured, built and pushed where a context is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components.build_context import context_tag
from components.component import Component
from model import monitoring_parts
from model.project import OWN_IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi_docker

    from components.configuration import Secrets
    from model.settings import AppImage, Build, Registry, Settings


class Images(Component):
    """`references` holds every image as `repository@sha256:…`.

    With digests everywhere nothing is registered and no Docker is needed. In a preview the digest of an image
    that would be built is unknown, and is shown so.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        secrets: Secrets,
        build_args: Mapping[str, Mapping[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.references: dict[str, pulumi.Output[str]] = {}
        for part in (*monitoring_parts.parts(settings), "fluentd"):
            public = getattr(settings.images, part.replace("-", "_"), None)
            # Who counts pods and jobs runs from the image of this repository.
            if public is not None:
                self.references[part] = pulumi.Output.from_input(f"{public.repository}@{public.digest}")
        for image_name in OWN_IMAGES:
            image: AppImage | None = getattr(settings.images, image_name)
            if image is None:
                continue
            if image.build is None:
                reference = pulumi.Output.from_input(f"{image.repository}@{image.digest}")
            else:
                reference = self._built(
                    image_name, image, image.build, settings.registry, secrets, build_args.get(image_name, {})
                )
            self.references[image_name] = reference
        self.register_outputs({"references": self.references})

    def _built(
        self,
        name: str,
        image: AppImage,
        build: Build,
        registry: Registry,
        secrets: Secrets,
        args: Mapping[str, pulumi.Input[str]],
    ) -> pulumi.Output[str]:
        import pulumi_docker  # noqa: PLC0415 - with digests set, Docker's SDK is not even imported

        base = {"BASE_IMAGE": build.base_image} if build.base_image else {}
        arguments: pulumi_docker.DockerBuildArgsDict = {
            "context": build.context,
            "dockerfile": build.dockerfile or f"{build.context}/Dockerfile",
            "platform": build.platform,
            "args": {**build.args, **base, **args},
        }
        if build.network:
            arguments["network"] = build.network
        login: pulumi_docker.RegistryArgsDict | None = None
        password = secrets.get("registry-password")
        if registry.username and password is not None:
            login = {"server": registry.host, "username": registry.username, "password": password}
        built = pulumi_docker.Image(
            name,
            # Never a fixed tag: the next build would take it, and a registry may delete what has none.
            image_name=f"{image.repository}:{context_tag(build.context, build.dockerfile)}",
            build=arguments,
            build_on_preview=False,
            registry=login,
            opts=self.child,
        )
        return built.repo_digest
