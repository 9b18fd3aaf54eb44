"""fluentd's configuration as a tree: written as text, and looked through for what fluentd says too late."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# What fluentd brings, what the images of fluentd-kubernetes-daemonset add, and our own filter.
KNOWN = {
    "source": {"forward", "http", "monitor_agent", "prometheus", "prometheus_output_monitor"},
    "filter": {"grep", "record_transformer", "concat", "hide_secrets"},
    "match": {"elasticsearch", "http", "file", "stdout", "relabel", "null"},
    "buffer": {"file", "memory"},
    "format": {"json", "single_value"},
}
NEEDED = {
    ("source", "forward"): ("port", "bind"),
    ("filter", "concat"): ("key", "timeout_label"),
    ("filter", "hide_secrets"): ("named", "quoted", "assigned", "login"),
    ("match", "elasticsearch"): ("hosts", "password", "ssl_version"),
    ("match", "http"): ("endpoint", "retryable_response_codes"),
    ("match", "file"): ("path",),
}
BUFFERED = {"elasticsearch", "http", "file"}
_SECRET = re.compile(r"password|shared_key|token|secret|api_key")
_FROM_FILE = re.compile(r"\"#\{File\.read\('/[a-z/-]+'\)\.strip\}\"")


@dataclass(frozen=True)
class Directive:
    """`<name argument>`, its parameters, and the directives in it."""

    name: str
    argument: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    inside: Sequence[Directive] = ()

    @property
    def kind(self) -> str | None:
        """Which plugin it is."""
        return self.parameters.get("@type")


def written(directives: Sequence[Directive], indent: str = "") -> str:
    """The text."""
    return "".join(line for directive in directives for line in _lines(directive, indent))


def _lines(directive: Directive, indent: str) -> Iterator[str]:
    opened = f"{directive.name} {directive.argument}".strip()
    yield f"{indent}<{opened}>\n"
    for key, value in directive.parameters.items():
        yield f"{indent}  {key} {value}\n"
    yield written(directive.inside, indent + "  ")
    yield f"{indent}</{directive.name}>\n"


def faults(directives: Sequence[Directive]) -> list[str]:
    """Everything that is wrong, a line each."""
    every = list(_all(directives))
    names = [one.parameters["@id"] for one in every if "@id" in one.parameters]
    labels = {one.argument for one in every if one.name == "label"}
    found = [f"@id {name} stands twice" for name in sorted({name for name in names if names.count(name) > 1})]
    for one in every:
        found += _own_faults(one)
        for key in ("@label", "timeout_label"):
            if one.parameters.get(key, "@ROOT") not in {*labels, "@ROOT"}:
                found.append(f"<{one.name}> leads to {one.parameters[key]}, which is not there")
    found += [
        f"<{one.name} {one.argument}> at the top: fluentd's own lines belong into <label @FLUENT_LOG>"
        for one in directives
        if one.name in ("match", "filter") and one.argument.startswith("fluent.")
    ]
    if not any(one.parameters.get("suppress_config_dump") == "true" for one in every if one.name == "system"):
        found.append("<system> without suppress_config_dump: fluentd shows its configuration when it starts")
    return found


def _own_faults(one: Directive) -> Iterator[str]:
    known = KNOWN.get(one.name)
    if known is not None and one.kind not in known:
        yield f"<{one.name}> of the type {one.kind}, which the image lacks"
    if one.name in ("source", "filter", "match") and "@id" not in one.parameters:
        yield f"<{one.name} {one.argument}> has no @id: its metrics would have no name"
    for key in NEEDED.get((one.name, one.kind or ""), ()):
        if key not in one.parameters:
            yield f"<{one.name}> of the type {one.kind} needs {key}"
    if one.name == "match" and one.kind in BUFFERED and not any(i.name == "buffer" for i in one.inside):
        yield f"<match> of the type {one.kind} has no buffer: what it cannot hand on is lost"
    for key, value in one.parameters.items():
        if _SECRET.search(key) and not _FROM_FILE.fullmatch(value):
            yield f"<{one.name}> {key} is not taken from a file"


def _all(directives: Sequence[Directive]) -> Iterator[Directive]:
    for one in directives:
        yield one
        yield from _all(one.inside)
