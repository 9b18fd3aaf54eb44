"""What is kept in a pod fits into its volume, and is handed on before the pod ends."""

from __future__ import annotations

import re
from typing import Any

import pytest

from model.quantity import amount
from tests.unit.harness import manifests
from tests.unit.other_settings import OTHER_SETTINGS, OtherSettings

GIGABYTE, MEGABYTE = 1024**3, 1024**2


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """The most that the settings allow."""
    whole = OTHER_SETTINGS["everything"]

    def change(config: dict[str, Any]) -> None:
        whole.change(config)
        config["logging"]["buffer-megabytes"] = 3072

    return manifests(OtherSettings(change, whole.secrets).run())


def _pod(found: dict[str, dict[str, Any]], name: str) -> Any:
    return found[f"deployment-{name}"]["spec"]["template"]["spec"]


def _room(pod: Any) -> int:
    (volume,) = [one for one in pod["volumes"] if one["name"] == "data"]
    return int(amount(volume["emptyDir"]["sizeLimit"]))


def test_prometheus_throws_away_before_its_volume_is_full(found: dict[str, dict[str, Any]]) -> None:
    pod = _pod(found, "prometheus")
    (size,) = [
        int(match[1])
        for arg in pod["containers"][0]["args"]
        if (match := re.fullmatch(r"--storage\.tsdb\.retention\.size=(\d+)GB", arg))
    ]
    assert 0 < size * GIGABYTE <= 0.75 * _room(pod)


def test_logs_fit_into_their_volume_and_are_handed_on_before_the_pod_ends(
    found: dict[str, dict[str, Any]],
) -> None:
    (text,) = [one["data"]["fluent.conf"] for name, one in found.items() if name.startswith("configmap-logs")]
    buffer = dict(
        line.split(None, 1) for line in text.partition("<buffer>")[2].splitlines() if " " in line.strip()
    )
    assert int(buffer["total_limit_size"].removesuffix("MB")) * MEGABYTE <= 0.75 * _room(
        _pod(found, "fluentd")
    )
    assert buffer["flush_at_shutdown"] == "true"
