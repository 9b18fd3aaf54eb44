"""The images that Docker Hub would have had: a Python base and what watches, in the twin's registry.

Each is tagged with the hash of what it is made from, and the registry's storage outlives the checkout:
an image is made once, and again when its recipe or a lock changes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker.errors import BuildError, DockerException
from requests.exceptions import RequestException

from twin import debian_tools, docker, registry, rootfs, secrets
from twin.steps import Step, StepError, say
from twin.toolchain.build import cache_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import docker as docker_sdk

    from twin.paths import Paths
    from twin.secrets import Secrets

BASE = "base"
PROMETHEUS = "prometheus"
BASE_CONFIGURATION = (
    f"ENV PATH={rootfs.VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    # Builds have no network: pip shall say at once what is missing instead of asking an index.
    "ENV PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8",
    'CMD ["python3"]',
)
# Debian's package, which is also the name of the program in it, by the image's name.
MONITORING = {
    PROMETHEUS: "prometheus",
    "alertmanager": "prometheus-alertmanager",
    "blackbox-exporter": "prometheus-blackbox-exporter",
    "redis-exporter": "prometheus-redis-exporter",
    "postgres-exporter": "prometheus-postgres-exporter",
}
MONITORING_DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY program /bin/PROGRAM
COPY share /usr/share/prometheus
USER 65534
ENTRYPOINT ["/bin/PROGRAM"]
"""


@dataclass(frozen=True)
class Image:
    """An image of the twin's own: its name and the hash of everything that it is made from."""

    name: str
    tag: str

    @property
    def repository(self) -> str:
        """Its place in the registry."""
        return f"orka-twin/{self.name}"

    @property
    def reference(self) -> str:
        """What Docker calls it."""
        return f"{registry.HOST}/{self.repository}:{self.tag}"


def steps(paths: Paths) -> list[Step]:
    """One step for each image: it is in the registry."""
    return [
        Step("base image", lambda: _ensure(paths, BASE)),
        *(Step(f"image {name}", _ensurer(paths, name)) for name in MONITORING),
    ]


def digests(paths: Paths, *names: str) -> dict[str, str]:
    """The images of the twin's own (all, or these) by name, as `localhost:5000/orka-twin/NAME@sha256:…`.

    Raises:
        StepError: one is not in the registry: `twin up` makes it.
    """
    known = secrets.of(paths)
    found = {}
    wanted = _wanted(paths)
    for image in (wanted[name] for name in names or wanted):
        digest = registry.digest_of(known, image.repository, image.tag)
        if digest is None:
            raise StepError(f"the registry has no {image.repository}:{image.tag}: run `twin up`")
        found[image.name] = f"{registry.HOST}/{image.repository}@{digest}"
    return found


def requirements(paths: Paths) -> tuple[Path, ...]:
    """The locks whose wheels the base image has."""
    return (paths.checkout / "ops/requirements.txt", paths.checkout / "twin/workload/requirements.txt")


def _wanted(paths: Paths) -> Mapping[str, Image]:
    recipe = [*BASE_CONFIGURATION, *rootfs.PACKAGES, *rootfs.LEFT_OUT, rootfs.SUITE]
    base = _hash(*recipe, *(file.read_text() for file in requirements(paths)))
    return {
        BASE: Image(BASE, base),
        **{name: Image(name, _hash(base, _dockerfile(name))) for name in MONITORING},
    }


def _dockerfile(name: str) -> str:
    return MONITORING_DOCKERFILE.replace("PROGRAM", MONITORING[name])


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def base_reference(paths: Paths) -> str:
    """The base image by digest, for a build's BASE_IMAGE.

    Raises:
        StepError: it is not in the registry: `twin up` makes it.
    """
    return digests(paths, BASE)[BASE]


def _ensurer(paths: Paths, name: str) -> Callable[[], str]:
    return lambda: _ensure(paths, name)


def _ensure(paths: Paths, name: str) -> str:
    known, image = secrets.of(paths), _wanted(paths)[name]
    client = docker.client(paths)
    try:
        return _ensure_with(paths, client, known, image)
    except BuildError as error:
        said = "".join(str(line.get("stream", "")) for line in error.build_log)[-2000:]
        raise StepError(f"the image was not built: {error.msg}\n{said}") from error
    except (DockerException, RequestException) as error:
        raise StepError(f"Docker refused: {error}") from error
    finally:
        client.close()


def _ensure_with(paths: Paths, client: docker_sdk.DockerClient, known: Secrets, image: Image) -> str:
    here = bool(client.images.list(name=image.reference))
    if registry.digest_of(known, image.repository, image.tag):
        if here:
            return f"{image.tag} is there"
        # Docker's cache was cleared: builds take their base by digest and have no credentials to pull it.
        login = {"username": known.registry_user, "password": known.registry_password}
        client.images.pull(f"{registry.HOST}/{image.repository}", tag=image.tag, auth_config=login)
        return f"{image.tag} pulled"
    work = cache_root() / "work" / image.name
    try:
        if not here and image.name == BASE:
            _make_base(paths, client, image, work)
        elif not here:
            _make_monitoring(client, image, base_reference(paths), work)
        registry.push(client, known, f"{registry.HOST}/{image.repository}", image.tag)
    finally:
        rootfs.clear(work)
    return f"{image.tag} made and pushed"


def _make_base(paths: Paths, client: docker_sdk.DockerClient, image: Image, work: Path) -> None:
    say("making the base image from Debian's packages and the locked wheels (about a minute)")
    archive = rootfs.make_archive(work, requirements(paths))
    client.api.import_image_from_file(
        str(archive),
        repository=f"{registry.HOST}/{image.repository}",
        tag=image.tag,
        changes=list(BASE_CONFIGURATION),
    )
    client.images.get(image.reference)  # the import answers 200 whatever became of it


def _make_monitoring(client: docker_sdk.DockerClient, image: Image, base: str, work: Path) -> None:
    say(f"making the image {image.name} from Debian's package")
    rootfs.clear(work)
    context = work / "context"
    context.mkdir(parents=True)
    package = MONITORING[image.name]
    shutil.copy(debian_tools.program(package), context / "program")
    # Alertmanager's templates; the others have nothing there that they need.
    (context / "share").mkdir()
    templates = debian_tools.unpacked(package) / "usr/share/prometheus/alertmanager"
    if templates.is_dir():
        shutil.copytree(templates, context / "share/alertmanager")
    (context / "Dockerfile").write_text(_dockerfile(image.name))
    client.images.build(
        path=str(context), tag=image.reference, buildargs={"BASE_IMAGE": base}, network_mode="none",
        rm=True, forcerm=True,
    )  # fmt: skip
