"""Whether the registry's login, where there is one, is for the place that our images come from."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from model.project import OWN_IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from model.settings import Settings

DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


def registry_faults(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    """A password for nobody, and a login that the kubelet would never use."""
    registry = settings.registry
    if secrets.get("registry-password") is not None and not registry.username:
        yield (
            "registry.username is missing, while registry-password is set: without it nobody signs in; "
            "give the user, or remove the secret"
        )
    images = [image for name in OWN_IMAGES if (image := getattr(settings.images, name)) is not None]
    hosts = {_host_of(image.repository) for image in images}
    if registry.username and not any(fnmatchcase(host, _named(registry.host)) for host in hosts):
        yield (
            f"registry.host is {registry.host}, from where none of our images comes: the login would be "
            f"for another registry; give one of {', '.join(sorted(hosts))}, or remove registry.username"
        )


def _host_of(repository: str) -> str:
    """The registry of a repository; a first part that is no host is a user of Docker Hub."""
    first = repository.partition("/")[0]
    is_host = "." in first or ":" in first or first == "localhost"
    return _one_hub(first) if is_host else DOCKER_HUB[0]


def _named(host: str) -> str:
    """The registry's own name, of what a kubelet takes for one: with a scheme, a path, or a * in it."""
    return _one_hub(host.removeprefix("https://").removeprefix("http://").partition("/")[0])


def _one_hub(host: str) -> str:
    return DOCKER_HUB[0] if host in DOCKER_HUB else host
