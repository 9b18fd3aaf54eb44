"""`--policy-pack policy` on the deployed stack: green as it is, red with the rule's name when it is not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.twin.stack import Stack

PACK = ("--policy-pack", str(CHECKOUT / "policy"))
SNIPPET = "nginx.ingress.kubernetes.io/configuration-snippet"


def test_the_stack_passes_before_and_after_an_update(deployed: Stack) -> None:
    for result in (deployed.preview(*PACK), deployed.up(*PACK)):
        assert result.code == 0, result
        assert "orka-ppm@v" in result.output, result
        assert "can't run policy" not in result.output, result
        for level in ("[mandatory]", "[advisory]"):
            assert level not in result.output, result


def test_a_setting_that_breaks_a_rule_is_refused_and_changes_nothing(unapplied: Stack) -> None:
    unapplied.set(f'orka-ppm:edge.annotations["{SNIPPET}"]', "more_set_headers 'X-A: b'")
    without = unapplied.preview()
    assert without.code == 0, without
    for result in (unapplied.preview(*PACK), unapplied.up(*PACK)):
        assert result.code != 0, result
        assert "ingress-no-snippets" in result.output, result
        # Both have the annotation; which of them the engine comes to first, and stops at, is its own matter.
        said = f"metadata.annotations[{SNIPPET}]: a snippet"
        assert any(f"Ingress {name}: {said}" in result.output for name in ("backend", "frontend")), result
    assert SNIPPET not in unapplied.manifest("ingress", "backend")["metadata"]["annotations"]


def test_a_program_that_breaks_rules_is_refused_with_each_name(scratch_clone: Stack) -> None:
    broken = {
        "components/workload.py": ('"automount_service_account_token": False', '"host_network": True'),
        "components/network.py": ('both = ["Ingress", "Egress"]', 'both = ["Ingress"]'),
    }
    for file, (before, after) in broken.items():
        path = scratch_clone.folder / file
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))
    result = scratch_clone.preview(*PACK)
    assert result.code != 0, result
    for rule in ("no-service-account-token", "no-host-namespaces", "default-deny"):
        assert rule in result.output, result


def test_without_its_environment_the_pack_is_refused_with_the_remedy(deployed: Stack, tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "policy", tmp_path / "policy", ignore=shutil.ignore_patterns(".venv"))
    result = deployed.preview("--policy-pack", str(tmp_path / "policy"))
    assert result.code != 0, result
    assert "pulumi install" in result.output, result
