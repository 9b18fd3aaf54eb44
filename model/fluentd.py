"""The aggregator's configuration: take in, join tracebacks, drop noise, hide secrets, hand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.fluentd_text import Directive
from model.log_secrets import ASSIGNED, LOGIN, NAMED, QUOTED

if TYPE_CHECKING:
    from model.settings_logging import Logging

FORWARD_PORT, MONITOR_PORT, METRICS_PORT = 24_224, 24_220, 24_231
BUFFER = "/fluentd/buffer"
# In Ruby's regular expressions and in Python's alike.
NOISE = r'"(GET|HEAD) /health(/[a-z]+)? HTTP/[0-9.]+" 200'
# A line that goes on with the one before: indented, or part of a traceback.
BEGINS = (
    r"^(?!\s|Traceback |During handling|The above exception|[A-Za-z_.]+(Error|Exception|Interrupt|Exit)\b)"
)
# What passes once somebody has mended the token, the address, the way there or Splunk itself. Any other code
# moves the lines aside for good, and no count of tries tells of it.
RETRIED = "401,403,404,408,429,500,502,503,504"
SECRETS_MOUNT = "/fluentd/secrets"
SHARED_KEY, ELASTICSEARCH, SPLUNK = "fluentd-shared-key", "elasticsearch-password", "splunk-hec-token"


def _secret(file: str) -> str:
    """Read when fluentd starts, which fails where it is missing. A variable would be every process's."""
    return f"\"#{{File.read('{SECRETS_MOUNT}/{file}').strip}}\""


def configuration(logging: Logging) -> list[Directive]:
    """The whole file."""
    return [
        Directive("system", parameters={"suppress_config_dump": "true", "log_level": "info"}),
        Directive(
            "source",
            parameters={
                "@type": "forward",
                "@id": "in_forward",
                "@label": "@LINES",
                "port": str(FORWARD_PORT),
                "bind": "0.0.0.0",  # noqa: S104 - in a pod
            },
            inside=[
                Directive(
                    "security",
                    parameters={"self_hostname": "fluentd", "shared_key": _secret(SHARED_KEY)},
                )
            ],
        ),
        Directive(
            "source",
            parameters={"@type": "monitor_agent", "@id": "in_monitor", "port": str(MONITOR_PORT)},
        ),
        Directive(
            "source", parameters={"@type": "prometheus", "@id": "in_metrics", "port": str(METRICS_PORT)}
        ),
        Directive("source", parameters={"@type": "prometheus_output_monitor", "@id": "in_output_metrics"}),
        Directive(
            "label",
            "@FLUENT_LOG",
            inside=[Directive("match", "**", {"@type": "stdout", "@id": "own_lines"})],
        ),
        Directive("label", "@LINES", inside=[_named(), _joined(), _onwards()]),
        Directive("label", "@EVENTS", inside=[_quiet(), _hidden(), _sink(logging)]),
    ]


def _slashed(pattern: str) -> str:
    """The pattern as Ruby writes it."""
    escaped = pattern.replace("/", r"\/")
    return f"/{escaped}/"


def _named() -> Directive:
    """Agents call the line `log` or `message`; what follows knows one name."""
    line = Directive("record", parameters={"message": '${(record["message"] || record["log"]).to_s}'})
    parameters = {"@type": "record_transformer", "@id": "names", "enable_ruby": "true", "remove_keys": "log"}
    return Directive("filter", "**", parameters, [line])


def _joined() -> Directive:
    return Directive(
        "filter",
        "**",
        {
            "@type": "concat",
            "@id": "tracebacks",
            "key": "message",
            "multiline_start_regexp": _slashed(BEGINS),
            "flush_interval": "2",
            "timeout_label": "@EVENTS",
        },
    )


def _onwards() -> Directive:
    return Directive("match", "**", {"@type": "relabel", "@id": "onwards", "@label": "@EVENTS"})


def _quiet() -> Directive:
    noise = Directive("exclude", parameters={"key": "message", "pattern": _slashed(NOISE)})
    return Directive("filter", "**", {"@type": "grep", "@id": "noise"}, [noise])


def _hidden() -> Directive:
    """By a filter of our own, `manifests/filter_hide_secrets.rb`: in every text, at any depth."""
    return Directive(
        "filter",
        "**",
        {
            "@type": "hide_secrets",
            "@id": "secrets",
            "named": f"{_slashed(NAMED)}i",
            "quoted": f"{_slashed(QUOTED)}i",
            "assigned": f"{_slashed(ASSIGNED)}i",
            "login": _slashed(LOGIN),
        },
    )


def _sink(logging: Logging) -> Directive:
    common = {"@id": "sink"}
    as_json = Directive("format", parameters={"@type": "json"})
    if logging.sink == "elasticsearch":
        parameters = {
            "@type": "elasticsearch",
            **common,
            "hosts": str(logging.url),
            "user": logging.user,
            "password": _secret(ELASTICSEARCH),
            "ssl_verify": "true",
            "ssl_version": "TLSv1_2",
            "logstash_format": "true",
            "logstash_prefix": logging.index,
            "suppress_type_name": "true",
            "reconnect_on_error": "true",
        }
        return Directive("match", "**", parameters, [_buffer(logging)])
    if logging.sink == "splunk":
        parameters = {
            "@type": "http",
            **common,
            "endpoint": f"{logging.url}/services/collector/raw",
            "content_type": "application/json",
            "retryable_response_codes": RETRIED,
        }
        # Splunk takes any user beside its token; in a header fluentd would show it in its log.
        token = {"method": "basic", "username": "splunk", "password": _secret(SPLUNK)}
        inside = [Directive("auth", parameters=token), as_json, _buffer(logging)]
        return Directive("match", "**", parameters, inside)
    return Directive(
        "match",
        "**",
        {"@type": "file", **common, "path": f"{BUFFER}/logs", "append": "true"},
        [as_json, _buffer(logging)],
    )


def _buffer(logging: Logging) -> Directive:
    return Directive(
        "buffer",
        parameters={
            "@type": "file",
            "path": f"{BUFFER}/chunks",
            "total_limit_size": f"{logging.buffer_megabytes}MB",
            "chunk_limit_size": "8MB",
            "flush_interval": "5s",
            # The buffer goes with its pod: a file buffer would keep for the next start what it still holds.
            "flush_at_shutdown": "true",
            "retry_max_interval": "5m",
            "retry_timeout": "24h",
            # The agents on the nodes wait, and keep what they have read.
            "overflow_action": "block",
        },
    )
