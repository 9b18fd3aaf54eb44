"""What checkov says of every folder in one: `judge.py FOLDER` in checkov's own environment prints it as JSON.

Its command takes several folders too, but reports the first one's findings for each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from checkov.kubernetes.runner import Runner
from checkov.runner_filter import RunnerFilter


def judged(folder: Path) -> dict[str, list[list[str]]]:
    """By outcome the ids of checks and the files, nothing skipped; a folder is judged as one cluster."""
    runner_filter = RunnerFilter(framework=["kubernetes"], download_external_modules=False)
    report = Runner().run(root_folder=str(folder), runner_filter=runner_filter)
    outcomes = {"failed": report.failed_checks, "passed": report.passed_checks}
    found = {
        outcome: [[record.check_id, Path(record.file_path).name] for record in records]
        for outcome, records in outcomes.items()
    }
    return found | {"unread": [["", file] for file in report.parsing_errors]}


if __name__ == "__main__":
    folders = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir())
    print(json.dumps({folder.name: judged(folder) for folder in folders}))
