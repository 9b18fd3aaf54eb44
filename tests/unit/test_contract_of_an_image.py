"""What any image may ask of its pod and its build, and what of it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.harness import SECRETS, Run, _open, complete, run_program

SLACK = "https://hooks.slack.com/services/T0/B0/canary"


def _config(**groups: Any) -> dict[str, Any]:
    config = complete()
    for path, value in groups.items():
        group, _, key = path.partition("__")
        config[group.replace("_", "-")][key.replace("_", "-")] = value
    return config


def _run(config: dict[str, Any], **secrets: str) -> Run:
    run = run_program(config, {**SECRETS, **{key.replace("_", "-"): text for key, text in secrets.items()}})
    assert run.error is None, run.error
    return run


def _pod(run: Run, kind: str, name: str) -> dict[str, Any]:
    spec = run.one(kind, name).inputs["spec"]
    return dict(spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"])


def test_an_image_may_have_arguments_and_a_group_of_its_own() -> None:
    contract = {"args": ["--workers", "2"], "uid": 20_001, "gid": 20_002}
    run = _run(_config(backend__contract=contract, frontend__contract=contract))
    for name in ("backend", "frontend"):
        pod = _pod(run, "Deployment", name)
        container = pod["containers"][0]
        assert container["args"] == ["--workers", "2"]
        assert container["securityContext"]["runAsUser"] == 20_001
        assert container["securityContext"]["runAsGroup"] == pod["securityContext"]["fsGroup"] == 20_002
    assert _pod(run, "CronJob", "model-training-job")["securityContext"]["fsGroup"] == 20_002


def test_a_variable_may_hold_a_secret_and_only_backend_and_jobs_have_it() -> None:
    contract = {"secret-env": {"NOTIFY_URL": "slack-webhook-url"}, "aliases": {"HOOK": "NOTIFY_URL"}}
    run = _run(_config(backend__contract=contract), slack_webhook_url=SLACK)
    for name in ("backend", "jobs"):
        held = run.one("Secret", name).inputs["stringData"]["value"]
        assert "NOTIFY_URL" in held
        assert "HOOK" in held
    assert "NOTIFY_URL" not in run.one("Secret", "checks").inputs["stringData"]["value"]
    assert "env" not in _pod(run, "Deployment", "frontend")["containers"][0]
    assert "NOTIFY_URL" not in str(run.one("Deployment", "backend").inputs)


def test_a_job_may_have_a_command_arguments_and_variables_of_its_own() -> None:
    own = {"command": ["/train"], "args": ["--all"], "env": {"EPOCHS": "3"}}
    config = complete()
    config["cron-jobs"]["model-training"] |= own
    run = _run(config)
    job, other = (
        _pod(run, "CronJob", f"{name}-job")["containers"][0]
        for name in ("model-training", "scheduled-reports")
    )
    assert (job["command"], job["args"]) == (["/train"], ["--all"])
    assert {"name": "EPOCHS", "value": "3"} in job["env"]
    assert ("command" in other, other["args"]) == (False, ["python", "-m", "jobs", "scheduled-reports"])
    assert "EPOCHS" not in str(other)


def test_build_arguments_reach_the_build_beside_the_stacks_own() -> None:
    config = complete()
    image = config["images"]["frontend"]
    del image["digest"]
    image["build"] = {"context": "twin/workload", "dockerfile": "twin/workload/frontend/Dockerfile"}
    image["build"]["args"] = {"NODE_ENV": "production"}
    args = _open(_run(config).one("Image", "frontend").inputs["build"])["args"]
    assert args["NODE_ENV"] == "production"
    assert args["NEXT_PUBLIC_API_URL"] == "https://api-staging.orka-ppm.example.com"


def _built(args: dict[str, str], name: str = "frontend") -> dict[str, Any]:
    config = complete()
    del config["images"][name]["digest"]
    config["images"][name]["build"] = {"context": "twin/workload", "args": args}
    return config


def _job(**own: Any) -> dict[str, Any]:
    config = complete()
    config["cron-jobs"]["model-training"] |= own
    return config


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            _config(backend__contract={"gid": 0}),
            "backend.contract.gid: input should be greater than or equal",
        ),
        (_config(backend__contract={"args": "x"}), "backend.contract.args: input should be a valid"),
        (
            _config(backend__contract={"secret-env": {"URL": "database-admin-url"}}),
            "secret-env.URL: no pod is given database-admin-url: each pod has a login of its own; name",
        ),
        (
            _config(backend__contract={"secret-env": {"PULL": "registry-password"}}),
            "no pod is given registry-password: it pulls images; name another secret",
        ),
        (
            _config(backend__contract={"secret-env": {"X": "no-such"}}),
            "expected the key of a secret of the stack",
        ),
        (
            _config(backend__contract={"secret-env": {"HOOK": "slack-webhook-url"}}),
            "secret-env.HOOK: the secret slack-webhook-url is not set: pulumi config set --secret",
        ),
        (
            _config(backend__contract={"secret-env": {"LOG_LEVEL": "jwt-secret"}}),
            "secret-env.LOG_LEVEL is set by the stack itself: remove it here, or choose another name",
        ),
        (
            _config(backend__contract={"secret-env": {"K": "jwt-secret"}}, backend__env={"K": "x"}),
            "backend.env.K is set by the stack itself",
        ),
        (
            _config(backend__contract={"secret-env": {"K": "jwt-secret"}}, frontend__env={"K": "x"}),
            "frontend.env.K is the name of a secret, and the frontend is given none: remove it",
        ),
        (
            _config(frontend__contract={"secret-env": {"K": "jwt-secret"}}),
            "frontend.contract.secret-env is not a setting",
        ),
        (_job(env={"JWT_SECRET": "x"}), "cron-jobs.model-training.env.JWT_SECRET is set by the stack itself"),
        (
            _job(env={"NOTE": SECRETS["jwt-secret"]}),
            "model-training.env.NOTE looks like a secret (it holds jwt-secret)",
        ),
        (_job(env={"API": "https://foreign.example.org"}), "names the host foreign.example.org"),
        (_job(command="x"), "cron-jobs.model-training.command: input should be a valid"),
        (_built({"NEXT_PUBLIC_API_URL": "x"}), "build.args.NEXT_PUBLIC_API_URL is set by the stack itself"),
        (
            _built({"JWT_SECRET": "x"}),
            "JWT_SECRET is the name of a secret, and an image tells what it was built with",
        ),
        (
            _built({"KEY": SECRETS["supabase-service-key"]}, "backend"),
            "images.backend.build.args.KEY looks like a secret",
        ),
        (
            _built({"API": "https://foreign.supabase.co"}),
            "images.frontend.build.args.API names the host foreign.supa",
        ),
    ],
)
def test_what_no_image_may_ask_is_refused_with_what_to_do(config: dict[str, Any], expected: str) -> None:
    error = run_program(config).error
    assert expected in str(error)


def test_an_image_may_be_built_from_a_mirror() -> None:
    run = run_program(_built({"PIP_INDEX_URL": "https://mirror.example.org/simple"}, "backend"))
    assert "mirror.example.org" not in str(run.error)
