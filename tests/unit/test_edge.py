"""How the world reaches the stack, and which parts of it there are."""

from __future__ import annotations

import pytest

from model.jobs import FEATURES
from tests.unit.harness import Run, complete, manifests, run_program

NGINX = "nginx.ingress.kubernetes.io"
ORIGIN = "https://staging.orka-ppm.example.com"


def _annotations(run: Run, name: str) -> dict[str, str]:
    return dict(manifests(run)[f"ingress-{name}"]["metadata"]["annotations"])


def test_the_edge_answers_for_the_frontends_origin_and_sends_browsers_to_https(run: Run) -> None:
    api = _annotations(run, "backend")
    assert api[f"{NGINX}/cors-allow-origin"] == ORIGIN
    assert api[f"{NGINX}/enable-cors"] == "true"
    for name in ("backend", "frontend"):
        assert _annotations(run, name)[f"{NGINX}/force-ssl-redirect"] == "true"
    assert f"{NGINX}/enable-cors" not in _annotations(run, "frontend"), "one origin needs none"


def test_another_controller_gets_the_settings_own_annotations_alone() -> None:
    config = complete()
    config["edge"] |= {"controller": "other", "annotations": {"example.com/hsts": "on"}}
    assert _annotations(run_program(config), "backend") == {
        "pulumi.com/skipAwait": "true",
        "example.com/hsts": "on",
    }


@pytest.mark.parametrize(
    ("address", "kind"), [("203.0.113.7", "A"), ("2001:db8::7", "AAAA"), ("lb.example.com", "CNAME")]
)
def test_dns_records_are_told_and_asked_for_under_both_prefixes(address: str, kind: str) -> None:
    config = complete()
    config["edge"] |= {"address": address, "external-dns": True}
    run = run_program(config)
    assert run.outputs["dns_records"] == {
        "api-staging.orka-ppm.example.com": f"{kind} {address}",
        "staging.orka-ppm.example.com": f"{kind} {address}",
    }
    for prefix in ("external-dns.alpha.kubernetes.io", "external-dns.kubernetes.io"):
        assert _annotations(run, "frontend")[f"{prefix}/target"] == address


@pytest.mark.parametrize(("place", "port"), [("", 443), (":8443", 8443)])
def test_a_frontend_hosted_elsewhere_is_checked_and_listed_and_nothing_of_it_deployed(
    place: str, port: int
) -> None:
    config = complete()
    url = f"https://orka-staging.vercel.example{place}"
    config["frontend"] |= {"target": "external", "url": url}
    config["backend"]["cors-origins"] = [url]
    del config["images"]["frontend"], config["edge"]["frontend-host"]
    run = run_program(config)
    assert run.error is None
    assert not {name for name in manifests(run) if "frontend" in name}
    assert (run.outputs["frontend_url"], run.outputs["health_urls"]["frontend"]) == (url, f"{url}/")
    assert f'"{url}/"' in manifests(run)["configmap-verification"]["data"]["checks.json"]
    assert _annotations(run, "backend")[f"{NGINX}/cors-allow-origin"] == url
    gate = manifests(run)["networkpolicy-verification"]["spec"]["egress"]
    assert {one["port"] for rule in gate for one in rule["ports"]} == {"http", 8000, 443, 5432, port}


def test_a_page_hosted_elsewhere_has_no_record_to_the_controller_though_its_host_here_is_still_set() -> None:
    config = complete()
    config["edge"]["address"] = "203.0.113.7"
    config["frontend"] |= {"target": "external", "url": ORIGIN}
    assert f"https://{config['edge']['frontend-host']}" == ORIGIN
    assert run_program(config).outputs["dns_records"] == {"api-staging.orka-ppm.example.com": "A 203.0.113.7"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target": "external"}, "frontend.url is missing: give the origin"),
        ({"url": "https://other.example.com"}, "frontend.url is for target: external"),
    ],
)
def test_a_frontend_is_here_or_elsewhere_and_not_both(change: dict[str, str], told: str) -> None:
    config = complete()
    config["frontend"] |= change
    assert told in str(run_program(config).error)


@pytest.mark.parametrize(("task", "feature"), FEATURES.items())
def test_without_its_feature_a_job_is_gone_from_the_cluster_and_the_list(task: str, feature: str) -> None:
    config = complete()
    config["backend"]["features"][feature.replace("_", "-")] = False
    run = run_program(config)
    assert len(run.of("CronJob")) == len(run.outputs["cron_jobs"]) == 3
    assert f"{task}-job" not in run.outputs["cron_jobs"]


def test_without_any_job_nothing_of_them_is_there() -> None:
    config = complete()
    config["backend"]["features"] = {feature.replace("_", "-"): False for feature in FEATURES.values()} | {
        "anomaly-detection": False
    }
    left = manifests(run_program(config))
    assert not {name for name in left if name.startswith("cronjob-") or name.endswith("-cron-jobs")}


@pytest.mark.parametrize(("profile", "roots"), [("guide", []), ("application", ["Exact"])])
def test_the_root_of_the_api_is_reached_where_the_application_says_its_version(
    profile: str, roots: list[str]
) -> None:
    config = complete()
    config["verification"]["profile"] = profile
    (rule,) = manifests(run_program(config))["ingress-backend"]["spec"]["rules"]
    assert [path["pathType"] for path in rule["http"]["paths"] if path["path"] == "/"] == roots
