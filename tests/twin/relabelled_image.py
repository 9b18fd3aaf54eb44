"""Another image of the backend: the same files under another digest, as a next release would be."""

from __future__ import annotations

import io

from twin import application, docker, registry, secrets
from twin.paths import default


def backend_digest(label: str) -> str:
    """Build and push the backend with a label of its own; its digest. The same label gives the same."""
    paths = default()
    context = next(context for context in application.contexts(paths) if context.name == "backend")
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
