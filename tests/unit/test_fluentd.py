"""The aggregator's configuration: golden files by sink, a linter that finds faults, and what it hides."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from model import fluentd
from model.fluentd_text import Directive, faults, written
from model.settings_logging import Logging
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS, Run, complete, manifests, run_program
from tests.unit.other_settings import SINKS

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = CHECKOUT / "tests" / "golden" / "fluentd"
URLS = {
    "elasticsearch": "https://es.example.com:9200",
    "splunk": "https://splunk.example.com:8088",
    "file": None,
}


def _logging(sink: str) -> Logging:
    return Logging.model_validate({"sink": sink, **({"url": URLS[sink]} if URLS[sink] else {})})


def _run(sink: str, keys: dict[str, str] | None = None, *, image: bool = True) -> Run:
    config = complete()
    config["logging"] |= {"sink": sink} | ({"url": URLS[sink]} if URLS[sink] else {})
    if image:
        config["images"]["fluentd"] = {"repository": "docker.io/fluent/x", "digest": f"sha256:{'1' * 64}"}
    return run_program(config, {**SECRETS, **(SINKS if keys is None else keys)})


@pytest.mark.parametrize("sink", URLS)
def test_the_configuration_is_the_golden_one_and_the_linter_finds_no_fault(
    request: pytest.FixtureRequest, sink: str
) -> None:
    directives = fluentd.configuration(_logging(sink))
    assert faults(directives) == []
    file = GOLDEN / f"{sink}.conf"
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(written(directives))
    assert file.read_text() == written(directives), "review it, then --update-golden"


def _changed(directives: list[Directive], change: Callable[[Directive], Directive]) -> list[Directive]:
    def walk(one: Directive) -> Directive:
        return change(replace(one, inside=[walk(inner) for inner in one.inside]))

    return [walk(one) for one in directives]


def _with(kind: str, **parameters: str) -> Callable[[Directive], Directive]:
    return lambda one: replace(one, parameters={**one.parameters, **parameters}) if one.kind == kind else one


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_with("elasticsearch", password="hidden"), "<match> password is not taken from a file"),
        (_with("elasticsearch", password="\"#{ENV.fetch('X')}\""), "password is not taken from a file"),
        (_with("concat", timeout_label="@GONE"), "leads to @GONE, which is not there"),
        (_with("relabel", **{"@label": "@GONE"}), "leads to @GONE, which is not there"),
        (_with("grep", **{"@id": "tracebacks"}), "@id tracebacks stands twice"),
        (
            _with("elasticsearch", **{"@type": "elastic"}),
            "of the type elastic, which the image lacks",
        ),
        (lambda one: replace(one, inside=[]) if one.kind == "elasticsearch" else one, "has no buffer"),
        (lambda one: replace(one, parameters={}) if one.name == "system" else one, "suppress_config_dump"),
        (
            lambda one: (
                replace(one, parameters={"@type": "forward", "@id": "x"}) if one.kind == "forward" else one
            ),
            "<source> of the type forward needs port",
        ),
        (
            lambda one: (
                replace(one, name="match", argument="fluent.**", parameters={"@type": "null", "@id": "n"})
                if one.kind == "monitor_agent"
                else one
            ),
            "belong into <label @FLUENT_LOG>",
        ),
        (lambda one: replace(one, parameters={"@type": "stdout"}) if one.kind == "stdout" else one, "no @id"),
    ],
)
def test_the_linter_finds_what_is_broken(change: Callable[[Directive], Directive], found: str) -> None:
    broken = _changed(fluentd.configuration(_logging("elasticsearch")), change)
    assert [fault for fault in faults(broken) if found in fault], faults(broken)


def test_an_answer_that_can_be_mended_is_tried_again_and_every_http_sink_has_to_say_so() -> None:
    directives = fluentd.configuration(_logging("splunk"))
    (sink,) = [one for label in directives for one in label.inside if one.kind == "http"]
    codes = set(sink.parameters["retryable_response_codes"].split(","))
    assert {"401", "403", "429", "502", "503"} <= codes
    assert not codes & {"200", "400"}, "lines that Splunk cannot read would stop all others"

    def forgetful(one: Directive) -> Directive:
        kept = {key: value for key, value in one.parameters.items() if key != "retryable_response_codes"}
        return replace(one, parameters=kept)

    wanted = "<match> of the type http needs retryable_response_codes"
    assert faults(_changed(directives, forgetful)) == [wanted]


@pytest.mark.parametrize(
    ("line", "dropped"),
    [
        ('10.0.0.1 - "GET /health HTTP/1.1" 200 OK', True),
        ('10.0.0.1 - "GET /health/redis HTTP/1.1" 200 OK', True),
        ('10.0.0.1 - "GET /health HTTP/1.1" 503', False),
        ('10.0.0.1 - "GET /api/health-report HTTP/1.1" 200 OK', False),
    ],
)
def test_only_health_addresses_that_were_well_are_noise(line: str, *, dropped: bool) -> None:
    assert bool(re.search(fluentd.NOISE, line)) == dropped


def test_a_line_that_an_agent_calls_log_is_a_message_before_anything_looks_at_it() -> None:
    directives = fluentd.configuration(_logging("file"))
    (lines,) = [one for one in directives if one.argument == "@LINES"]
    first = lines.inside[0]
    assert first.parameters["remove_keys"] == "log"
    assert 'record["log"]' in first.inside[0].parameters["message"]
    assert [one.parameters["@id"] for one in lines.inside] == ["names", "tracebacks", "onwards"]


def test_a_traceback_is_one_event() -> None:
    lines = [
        "2026-11-26 INFO started",
        "2026-11-26 ERROR failed",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "    raise ValueError",
        "psycopg.OperationalError: gone",
        "",
        "During handling of the above exception, another exception occurred:",
        "ValueError",
        "2026-11-26 INFO goes on",
    ]
    begins = [line for line in lines if line and re.search(fluentd.BEGINS, line)]
    assert begins == ["2026-11-26 INFO started", "2026-11-26 ERROR failed", "2026-11-26 INFO goes on"]


@pytest.mark.parametrize("sink", URLS)
def test_the_aggregator_is_deployed_with_its_keys_in_one_secret_and_nowhere_else(sink: str) -> None:
    run = _run(sink)
    assert run.error is None
    assert run.one("Deployment", "fluentd")
    holding = {name for name, manifest in manifests(run).items() if "canary-shared" in json.dumps(manifest)}
    assert holding == {"secret-logs"}
    [container] = run.one("Deployment", "fluentd").inputs["spec"]["template"]["spec"]["containers"]
    assert "env" not in container
    assert "envFrom" not in container
    mounted = {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secrets"}
    read = re.findall(
        r"File\.read\('(.+)/([a-z-]+)'\)", run.one("ConfigMap", "logs").inputs["data"]["fluent.conf"]
    )
    assert {folder for folder, _ in read} == mounted
    assert {file for _, file in read} <= set(manifests(run)["secret-logs"]["stringData"])
    policy = run.one("NetworkPolicy", "fluentd").inputs["spec"]
    ports = {json.dumps(rule["from"]): rule["ports"][0]["port"] for rule in policy["ingress"]}
    assert sorted((port, "prometheus" in source) for source, port in ports.items()) == [
        (24_224, False),
        (24_231, True),
    ]
    assert ("egress" in policy) == (URLS[sink] is not None)


def test_its_own_filter_lies_where_it_looks_for_filters() -> None:
    run = _run("file")
    [container] = run.one("Deployment", "fluentd").inputs["spec"]["template"]["spec"]["containers"]
    folder = container["args"][container["args"].index("-p") + 1]
    [volume] = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == folder]
    assert volume == "configuration"
    files = run.one("ConfigMap", "logs").inputs["data"]
    assert "@type hide_secrets" in files["fluent.conf"]
    assert 'register_filter("hide_secrets", self)' in files["filter_hide_secrets.rb"]


def test_what_it_counts_is_asked_for_where_it_answers() -> None:
    run = _run("file")
    (job,) = [job for job in _scraped(run) if job["job_name"] == "orka-logs"]
    host, _, port = job["static_configs"][0]["targets"][0].partition(":")
    service = run.one("Service", host).inputs["spec"]
    assert [one["port"] for one in service["ports"]] == [int(port)]
    assert service["selector"].items() <= (
        run.one("Deployment", "fluentd").inputs["spec"]["template"]["metadata"]["labels"].items()
    )
    assert f"port {port}" in run.one("ConfigMap", "logs").inputs["data"]["fluent.conf"]
    policy = run.one("NetworkPolicy", "prometheus").inputs["spec"]
    assert {"port": int(port), "protocol": "TCP"} in [
        port for rule in policy["egress"] for port in rule["ports"]
    ]


def _scraped(run: Run) -> list[dict[str, Any]]:
    text = run.one("ConfigMap", "prometheus").inputs["data"]["prometheus.yaml"]
    return list(yaml.safe_load(text)["scrape_configs"])


def test_without_a_sink_there_is_no_aggregator(run: Run) -> None:
    assert not [name for name in manifests(run) if "fluentd" in name or "logs" in name]
    assert "orka-logs" not in [job["job_name"] for job in _scraped(run)]


@pytest.mark.parametrize(
    ("sink", "options", "missing"),
    [
        ("splunk", {"keys": {"fluentd-shared-key": "x"}}, "splunk-hec-token is missing"),
        ("elasticsearch", {"keys": {"fluentd-shared-key": "x"}}, "elasticsearch-password is missing"),
        ("file", {"keys": {}}, "fluentd-shared-key is missing"),
        ("file", {"image": False}, "images.fluentd is missing"),
    ],
)
def test_what_a_sink_needs_is_asked_for(sink: str, options: dict[str, Any], missing: str) -> None:
    assert missing in str(_run(sink, **options).error)
