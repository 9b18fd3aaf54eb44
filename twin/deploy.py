"""What `make up` does once the twin is up: `pulumi up`, the checks, the addresses and a verdict.

Exit codes: 0 deployed and no critical check failed, 5 `pulumi up` failed, otherwise that of `ops checks`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from twin import database, secrets
from twin.environment import environment
from twin.paths import BRIDGE_ADDRESS, default
from twin.standins import supabase_auth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.paths import Paths

# None of `ops checks`.
NOT_DEPLOYED = 5
UP_TIMEOUT_S = 1200
CHECKS_TIMEOUT_S = 300


def main() -> int:
    """Deploy, check, and say where everything is."""
    try:
        return _deploy_and_check(default())
    except subprocess.TimeoutExpired as error:
        _say(f"`{' '.join(error.cmd)}` was ended after {error.timeout:.0f} s; see README.md, cut off")
        return NOT_DEPLOYED


def _deploy_and_check(paths: Paths) -> int:
    variables = {**os.environ, **environment(paths)}
    started = time.monotonic()
    up = ["pulumi", "up", "--stack", "staging", "--yes", "--skip-preview", "--non-interactive"]
    code = subprocess.run(up, cwd=paths.checkout, env=variables, timeout=UP_TIMEOUT_S, check=False).returncode
    if code != 0:
        _say("NOT DEPLOYED: the reason stands above; what served before still does, unless it is the gate")
        return NOT_DEPLOYED
    _say(f"deployed in {time.monotonic() - started:.0f} s; now the checks, through the edge")
    ops = str(paths.checkout / ".venv" / "bin" / "ops")
    code = subprocess.run(
        [ops, "checks"],
        cwd=paths.checkout,
        env={**variables, **check_user(paths)},
        timeout=CHECKS_TIMEOUT_S,
        check=False,
    ).returncode
    _addresses(paths, variables)
    red = f"VERDICT: deployed, but `ops checks` ended with {code}"
    _say("VERDICT: deployed and verified" if code == 0 else red)
    return code


def check_user(paths: Paths) -> dict[str, str]:
    """What `ops checks` needs from the environment to sign in as a seeded user, and to ask everything."""
    known = secrets.of(paths)
    return {
        "ORKA_BUNDLE_HOSTS": "staging.supabase.co",
        "ORKA_CHECK_DATABASE_URL": database.admin_url(paths),
        "ORKA_CHECK_JWT_SECRET": known.jwt_secret,
        "ORKA_CHECK_OTHER_EMAIL": known.users[1].email,
        "ORKA_CHECK_OTHER_PASSWORD": known.users[1].password,
        "SUPABASE_URL": f"http://{BRIDGE_ADDRESS}:{supabase_auth.PORT}",
        "SUPABASE_KEY": known.supabase_key,
        "ORKA_CHECK_EMAIL": known.users[0].email,
        "ORKA_CHECK_PASSWORD": known.users[0].password,
    }


def _addresses(paths: Paths, variables: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--stack", "staging"], cwd=paths.checkout,
        env=dict(variables), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    outputs: dict[str, Any] = json.loads(done.stdout)
    _say(f"release   {outputs['release_id']}")
    _say(f"frontend  {outputs['frontend_url']}")
    _say(f"api       {outputs['api_url']}")
    _say('by hand   eval "$(.venv/bin/twin env)"; curl ' + outputs["health_urls"]["backend"])


def _say(line: str) -> None:
    print(f"[make up] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
