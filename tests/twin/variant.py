"""Another image of the application: the same files under another digest, as a next release would be."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from twin import application, docker, registry, secrets

if TYPE_CHECKING:
    from twin.paths import Paths


def digest_of_variant(paths: Paths, name: str, label: str) -> str:
    """Build and push `name` with a label of its own; its digest. The same label gives the same digest."""
    context = next(context for context in application.contexts(paths) if context.name == name)
    repository = f"{registry.HOST}/{context.repository}"
    recipe = f"FROM {repository}:{application.TAG}\nLABEL orka.test={label}\n"
    client = docker.client(paths)
    try:
        client.images.build(
            fileobj=io.BytesIO(recipe.encode()),
            tag=f"{repository}:{label}",
            network_mode="none",
            rm=True,
            forcerm=True,
        )
        registry.push(client, secrets.of(paths), repository, label)
    finally:
        client.close()
    digest = registry.digest_of(secrets.of(paths), context.repository, label)
    assert digest is not None
    return digest
