"""The same program for images that ask for other things: names, probes, user, places to write to."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.backend import with_password
from tests.unit.harness import SECRET_MARK, SECRETS, Run, complete, manifests, run_program


@pytest.fixture(scope="module")
def orka() -> Run:
    config = complete()
    config["backend"]["profile"] = config["frontend"]["profile"] = "orka-ppm"
    return run_program(config)


def _container(run: Run, name: str) -> dict[str, Any]:
    spec = manifests(run)[name]["spec"]
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return dict(spec["template"]["spec"]["containers"][0])


def _env(run: Run, name: str) -> dict[str, str]:
    return {item["name"]: item["value"] for item in _container(run, name)["env"]}


@pytest.mark.parametrize("secret", ["secret-backend", "secret-jobs"])
def test_the_pods_get_the_guides_names_and_the_applications(orka: Run, secret: str) -> None:
    data = manifests(orka)[secret]["stringData"]
    for alias, name in (
        ("SUPABASE_ANON_KEY", "SUPABASE_KEY"),
        ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SERVICE_KEY"),
        ("AUDIT_ENCRYPTION_KEY", "ENCRYPTION_KEY"),
        ("SECRET_KEY", "JWT_SECRET"),
    ):
        assert data[alias] == data[name], alias


def test_the_redis_password_is_in_the_address_and_the_address_is_a_secret(orka: Run) -> None:
    data = manifests(orka)["secret-backend"]["stringData"]
    assert data["REDIS_URL"] == "redis://:canary-redis@staging-redis.example.com:6379"
    assert data["REDIS_PASSWORD"] == "canary-redis"
    assert orka.one("Secret", "backend").inputs["stringData"][SECRET_MARK]
    for name in ("deployment-backend", "cronjob-model-training-job"):
        assert "REDIS_URL" not in _env(orka, name), "a plain variable would win over the secret one"


def test_what_the_application_leaves_open_is_closed(orka: Run) -> None:
    env = _env(orka, "deployment-backend")
    assert (env["ENVIRONMENT"], env["DISABLE_BOOTSTRAP"], env["ALLOW_DEV_DEFAULT_USER"]) == (
        "production",
        "true",
        "false",
    )
    assert env["SKIP_PRE_STARTUP_TESTS"] == "true"


def test_it_has_its_command_its_time_to_start_and_its_places_to_write_to(orka: Run) -> None:
    backend = _container(orka, "deployment-backend")
    assert backend["command"][:2] == ["uvicorn", "main:app"]
    startup = backend["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 60
    assert backend["livenessProbe"]["timeoutSeconds"] > 10, "as long as /health blocks the process"
    mounts = {mount["mountPath"]: mount["name"] for mount in backend["volumeMounts"]}
    assert set(mounts) == {"/tmp", "/app/storage"}  # noqa: S108 - in the pod
    volumes = manifests(orka)["deployment-backend"]["spec"]["template"]["spec"]["volumes"]
    assert {volume["name"] for volume in volumes if "emptyDir" in volume} == set(mounts.values())
    assert _container(orka, "deployment-frontend")["command"] == ["node", "server.js"]


def test_what_the_stack_file_says_goes_over_the_profile() -> None:
    config = complete()
    config["backend"] |= {
        "profile": "orka-ppm",
        "contract": {
            "port": 8080,
            "uid": 20_000,
            "probes": {"startup": {"failures": 90}},
            "aliases": {"DB_URL": "DATABASE_URL"},
            "job-command": ["python", "job.py"],
        },
    }
    run = run_program(config)
    backend = _container(run, "deployment-backend")
    assert backend["ports"][0]["containerPort"] == backend["readinessProbe"]["httpGet"]["port"] == 8080
    assert (backend["startupProbe"]["failureThreshold"], backend["startupProbe"]["periodSeconds"]) == (90, 3)
    assert backend["securityContext"]["runAsUser"] == 20_000
    pod = manifests(run)["deployment-backend"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["fsGroup"] == 20_000
    data = manifests(run)["secret-jobs"]["stringData"]
    assert data["DB_URL"] == data["DATABASE_URL"]
    assert data["SUPABASE_ANON_KEY"], "what it says beside the profile's own aliases"
    assert _container(run, "cronjob-model-training-job")["args"] == ["python", "job.py", "model-training"]
    ingress = manifests(run)["networkpolicy-backend"]["spec"]["ingress"]
    assert {port["port"] for rule in ingress for port in rule["ports"]} == {"http", 8080}
    assert "port: 8080" in manifests(run)["configmap-prometheus"]["data"]["prometheus.yaml"]


def test_an_image_that_keeps_to_the_guide_gets_the_guides_names_alone(run: Run) -> None:
    data = manifests(run)["secret-backend"]["stringData"]
    assert "REDIS_URL" not in data
    assert not {"SUPABASE_ANON_KEY", "SECRET_KEY"} & set(data)
    assert _env(run, "deployment-backend")["REDIS_URL"] == "redis://staging-redis.example.com:6379"


@given(password=st.text(min_size=1, max_size=40))
def test_every_password_survives_in_an_address(password: str) -> None:
    url = urlsplit(with_password("rediss://redis.example.com:6380/2", password))
    assert unquote(url.password or "") == password
    assert (url.scheme, url.hostname, url.port, url.path) == ("rediss", "redis.example.com", 6380, "/2")


def test_the_frontend_never_sees_a_server_secret() -> None:
    config = complete()
    config["frontend"]["env"] = {"ANON": SECRETS["supabase-key"]}
    config["images"]["frontend"] = {
        "repository": "registry.example.com/web",
        "build": {"context": ".", "dockerfile": "ops/Dockerfile"},
    }
    run = run_program(config)
    seen = str(manifests(run)["deployment-frontend"]) + str(run.one("Image", "frontend").inputs)
    for key, value in SECRETS.items():
        assert (value in seen) == (key == "supabase-key"), key
