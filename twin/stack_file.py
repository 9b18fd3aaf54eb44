"""Derives the twin's stack file from the committed one: the same keys, other endpoints, digests and secrets.

It is derived anew at every `twin up`, so that a changed committed file is followed. Values that were
encrypted before and have not changed keep their ciphertext: what is derived twice is the same file.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from model.merge import merged
from model.project import PROJECT
from twin import application, edge_controller, files, secrets
from twin import images as base_images
from twin.environment import environment
from twin.paths import BRIDGE_ADDRESS
from twin.standins import alert_channels, openai, supabase_auth
from twin.steps import Step, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.paths import Paths

STACK = "staging"
COMMAND_TIMEOUT_S = 60
CHANNELS = f"http://{BRIDGE_ADDRESS}:{alert_channels.PORT}"
BRIDGE_RANGE = f"{BRIDGE_ADDRESS}/32"


def overlay(paths: Paths, images: Mapping[str, str]) -> dict[str, Any]:
    """What differs on the twin: where things are. `images` are references by digest, by name."""
    known = secrets.of(paths)
    return {
        f"{PROJECT}:cluster": {"kubeconfig": str(paths.kubeconfig)},
        f"{PROJECT}:registry": {"host": "localhost:5000", "username": known.registry_user},
        f"{PROJECT}:images": {name: _by_digest(reference) for name, reference in sorted(images.items())},
        f"{PROJECT}:database": {"superuser": True},
        f"{PROJECT}:supabase": {"url": f"http://{BRIDGE_ADDRESS}:{supabase_auth.PORT}"},
        f"{PROJECT}:openai": {
            "base-url": f"http://{BRIDGE_ADDRESS}:{openai.PORT}/v1",
            "organization": known.openai_organization,
        },
        # Everything that is not in the cluster is on the bridge's address.
        f"{PROJECT}:network": {
            "edge": {"namespaces": [], "cidrs": [BRIDGE_RANGE]},
            "dns": {"namespaces": [], "cidrs": [BRIDGE_RANGE]},
            "database": {"cidrs": [BRIDGE_RANGE]},
            "redis": {"cidrs": [BRIDGE_RANGE]},
            "kubernetes": {"cidrs": [BRIDGE_RANGE]},
            "public": {"cidrs": [BRIDGE_RANGE]},
            "alerts": {"port": alert_channels.PORT, "cidrs": [BRIDGE_RANGE]},
        },
        # A rehearsal: what takes five minutes elsewhere takes fifteen seconds here.
        f"{PROJECT}:monitoring": {
            "scrape-interval-seconds": 2,
            "clock-divisor": 20,
            "edge-metrics": {"source": "caddy", "targets": list(edge_controller.METRICS)},
            # Three days are hours here: one test's errors would spend the budget of all that follow.
            "thresholds": {"availability-percent": None},
            "pagerduty-url": f"{CHANNELS}/v2/enqueue",
            "watchdog-url": f"{CHANNELS}/watchdog",
        },
        # What a person waits for minutes elsewhere fails within seconds here.
        # There is no PersistentVolumeClaim for backups here.
        f"{PROJECT}:migration": {"deadline-seconds": 120, "backup": None},
        f"{PROJECT}:verification": {"announce": True, "version": _version()},
        f"{PROJECT}:backend": {"rollout": {"deadline-seconds": 60}},
        f"{PROJECT}:frontend": {"rollout": {"deadline-seconds": 60}},
    }


def _version() -> str:
    """The workload's; its folder is copied into an image, and is no package of ours to import from."""
    module = Path(__file__).parent / "workload" / "backend" / "app" / "__init__.py"
    return module.read_text().split('VERSION = "')[1].split('"')[0]


def _by_digest(reference: str) -> dict[str, str]:
    repository, _, digest = reference.partition("@")
    return {"repository": repository, "digest": digest}


def given_secrets(paths: Paths) -> dict[str, str]:
    """The secrets of the stack by key, as a person would have them from the hosted services."""
    known = secrets.of(paths)
    user = known.users[0]
    password = known.database_password
    return {
        "database-admin-url": f"postgresql://postgres:{password}@{BRIDGE_ADDRESS}:5432/postgres?sslmode=require",
        "supabase-key": known.supabase_key,
        "supabase-service-key": known.supabase_service_key,
        "redis-password": known.redis_password,
        "openai-api-key": known.openai_key,
        "encryption-key": known.encryption_key,
        "encryption-salt": known.encryption_salt,
        "jwt-secret": known.jwt_secret,
        "registry-password": known.registry_password,
        "slack-webhook-url": f"{CHANNELS}{known.slack_path}",
        "pagerduty-api-key": known.pagerduty_key,
        "check-email": user.email,
        "check-password": user.password,
    }


def steps(paths: Paths) -> list[Step]:
    """One step: the stack and its file."""

    def run() -> str:
        images = {**application.digests(paths), **base_images.digests(paths, *base_images.MONITORING)}
        return "written" if write(paths, images) else "as it was"

    return [Step("stack file", run)]


def write(paths: Paths, images: Mapping[str, str]) -> bool:
    """Make the stack where there is none, and its file; whether the file changed.

    Raises:
        StepError: Pulumi refused, with its own words.
    """
    salt = _initialised(paths)
    committed = yaml.safe_load((paths.checkout / "Pulumi.staging.yaml").read_text())
    before = paths.stack_file.read_text() if paths.stack_file.exists() else ""
    config = merged(committed["config"], overlay(paths, images))
    document = {"encryptionsalt": salt, "config": config}
    values = given_secrets(paths)
    known = _known_ciphertexts(before, values, paths)
    for key, ciphertext in known.items():
        config[f"{PROJECT}:{key}"] = ciphertext
    files.write(paths.stack_file, yaml.safe_dump(document, sort_keys=False, width=110))
    for key, value in values.items():
        if key not in known:
            _pulumi(paths, paths.checkout, "config", "set", "--secret", f"{PROJECT}:{key}", stdin=value)
    files.write(_fingerprints(paths), json.dumps(_hashes(values)))
    return paths.stack_file.read_text() != before


def _initialised(paths: Paths) -> str:
    """The stack's `encryptionsalt`. `stack init` writes a stack file beside it, so it gets its own folder."""
    folder = paths.data / "stack"
    folder.mkdir(parents=True, exist_ok=True)
    paths.pulumi_state.mkdir(parents=True, exist_ok=True)
    files.write(folder / "Pulumi.yaml", (paths.checkout / "Pulumi.yaml").read_text())
    file = folder / f"Pulumi.{STACK}.yaml"
    if not file.exists() or "encryptionsalt" not in file.read_text():
        listed = json.loads(_pulumi(paths, folder, "stack", "ls", "--json"))
        if not any(stack["name"].rpartition("/")[2] == STACK for stack in listed):
            _pulumi(paths, folder, "stack", "init", STACK)
        else:
            # The state is there and its salt is lost: without it no secret of the state can be read.
            message = f"{file} is gone but the state is not: `twin reset` begins anew"
            raise StepError(message)
    return str(yaml.safe_load(file.read_text())["encryptionsalt"])


def _known_ciphertexts(before: str, values: Mapping[str, str], paths: Paths) -> dict[str, Any]:
    if not before or not _fingerprints(paths).exists():
        return {}
    old, config = json.loads(_fingerprints(paths).read_text()), yaml.safe_load(before)["config"]
    return {
        key: config[f"{PROJECT}:{key}"]
        for key, fingerprint in _hashes(values).items()
        if old.get(key) == fingerprint and isinstance(config.get(f"{PROJECT}:{key}"), dict)
    }


def _hashes(values: Mapping[str, str]) -> dict[str, str]:
    return {key: hashlib.sha256(value.encode()).hexdigest() for key, value in values.items()}


def _fingerprints(paths: Paths) -> Path:
    return paths.secrets / "stack-fingerprints.json"


def _pulumi(paths: Paths, folder: Path, *arguments: str, stdin: str | None = None) -> str:
    variables = {**os.environ, **environment(paths)}
    if folder != paths.checkout:
        variables.pop("PULUMI_OPTION_CONFIG_FILE", None)
    stack = ("--stack", STACK) if arguments[0] == "config" else ()
    command = ["pulumi", *arguments, *stack, "--non-interactive", "--color", "never"]
    done = subprocess.run(
        command, cwd=folder, env=variables, input=stdin, text=True, capture_output=True,
        timeout=COMMAND_TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise StepError(f"`pulumi {' '.join(arguments[:3])}` failed: {done.stderr.strip()}")
    return done.stdout
