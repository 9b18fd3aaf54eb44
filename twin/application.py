"""Builds the application's images with the twin's Docker daemon, as a team's pipeline would.

Each is named by its digest.

An unchanged context gives the same digest: Docker's own cache makes that cheap, so it is simply built anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from docker.errors import APIError, BuildError

from twin import docker, images, registry, secrets
from twin.steps import Step, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twin.paths import Paths

TAG = "twin"
API_URL = "https://api-staging.orka-ppm.example.com"
LAST_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Context:
    """What to build: a folder of the checkout, its Dockerfile there, and its build arguments."""

    name: str
    repository: str
    folder: str
    dockerfile: str
    arguments: Mapping[str, str] = field(default_factory=dict)


def contexts(paths: Paths) -> tuple[Context, ...]:
    """The three images of the application; the frontend's bundle is made for the twin's addresses."""
    known = secrets.of(paths)
    public = {
        "NEXT_PUBLIC_API_URL": API_URL,
        "NEXT_PUBLIC_SUPABASE_URL": "https://staging.supabase.co",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY": known.supabase_key,
        "NEXT_PUBLIC_ENVIRONMENT": "staging",
    }
    workload = "twin/workload"
    return (
        Context(
            name="backend", repository="orka-ppm-backend", folder=workload, dockerfile="backend/Dockerfile"
        ),
        Context(
            name="frontend",
            repository="orka-ppm-frontend",
            folder=workload,
            dockerfile="frontend/Dockerfile",
            arguments=public,
        ),
        Context(name="ops", repository="orka-ops", folder=".", dockerfile="ops/Dockerfile"),
    )


def steps(paths: Paths) -> list[Step]:
    """One step for each image."""
    return [Step(f"image {context.repository}", _builder(paths, context)) for context in contexts(paths)]


def _builder(paths: Paths, context: Context) -> Callable[[], str]:
    return lambda: build(paths, context, images.base_reference(paths)).rpartition("@")[2][:19]


def digests(paths: Paths) -> dict[str, str]:
    """The application's images as they are in the registry, by name, by digest.

    Raises:
        StepError: one is not there: `twin up` builds it.
    """
    known = secrets.of(paths)
    found = {}
    for context in contexts(paths):
        digest = registry.digest_of(known, context.repository, TAG)
        if digest is None:
            raise StepError(f"the registry has no {context.repository}:{TAG}: run `twin up`")
        found[context.name] = f"{registry.HOST}/{context.repository}@{digest}"
    return found


def build(paths: Paths, context: Context, base: str) -> str:
    """Build and push one image; its reference by digest.

    Raises:
        StepError: the build or the push failed, with Docker's last lines.
    """
    known = secrets.of(paths)
    repository = f"{registry.HOST}/{context.repository}"
    client = docker.client(paths)
    try:
        client.images.build(
            path=str(paths.checkout / context.folder),
            dockerfile=context.dockerfile,
            tag=f"{repository}:{TAG}",
            buildargs={"BASE_IMAGE": base, **context.arguments},
            network_mode="none",
            rm=True,
            forcerm=True,
        )
        registry.push(client, known, repository, TAG)
    except BuildError as error:
        said = "".join(str(line.get("stream", "")) for line in error.build_log).splitlines()[-LAST_LINES:]
        raise StepError(f"{context.name}: not built: {error.msg}\n" + "\n".join(said)) from error
    except APIError as error:
        raise StepError(f"{context.name}: Docker refused: {error.explanation}") from error
    finally:
        client.close()
    digest = registry.digest_of(known, context.repository, TAG)
    if digest is None:
        raise StepError(f"{context.name}: pushed, but the registry has no {context.repository}:{TAG}")
    return f"{repository}@{digest}"
