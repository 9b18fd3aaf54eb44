"""What `twin env` exports, so that `pulumi`, `kubectl`, `docker` and `curl` work by hand against the twin."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from twin.toolchain.build import cache_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.paths import Paths

EDGE = "127.0.0.1:8443"
HOSTS = ("api-staging.orka-ppm.example.com", "staging.orka-ppm.example.com")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(paths: Paths, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables by name; pure, so it can be laid over any environment.

    Args:
        paths: the twin's folders.
        inherited: the environment whose PATH is kept behind the twin's; this process's when None.
    """
    before = (os.environ if inherited is None else inherited).get("PATH") or DEFAULT_PATH
    first = [str(paths.bin), str(paths.checkout / ".venv" / "bin")]
    rest = [folder for folder in before.split(":") if folder and folder not in first]
    return {
        "KUBECONFIG": str(paths.kubeconfig),
        "PATH": ":".join([*first, *rest]),
        "PULUMI_BACKEND_URL": f"file://{paths.pulumi_state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(paths.pulumi_passphrase),
        "PULUMI_HOME": str(paths.pulumi_home),
        "PULUMI_OPTION_CONFIG_FILE": str(paths.stack_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "DOCKER_HOST": f"unix://{paths.docker_socket}",
        "CURL_HOME": str(paths.curl),
        "ORKA_CONNECT_TO": ",".join(f"{host}:443:{EDGE}" for host in HOSTS),
        "ORKA_CACERT": str(paths.ca),
    }


def official_pulumi(paths: Paths, inherited: Mapping[str, str]) -> Path | None:
    """A `pulumi` on PATH that is the person's own: neither the twin's link nor one of its cache."""
    for folder in (inherited.get("PATH") or DEFAULT_PATH).split(":"):
        found = shutil.which("pulumi", path=folder) if folder else None
        if found is None:
            continue
        if not any(
            Path(found).resolve().is_relative_to(place.resolve()) for place in (paths.bin, cache_root())
        ):
            return Path(found)
    return None
