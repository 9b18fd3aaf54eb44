"""What `ops checks` understands on its command line, and what its help says."""

from __future__ import annotations

import argparse
from typing import Protocol

from model.checks import KIND_OF
from ops import flags
from ops.checks.session import Limits

_EPILOG = """\
The bearer token of the calls comes from ORKA_TOKEN, or from a password grant at Supabase auth: SUPABASE_URL,
SUPABASE_KEY (the anon key), ORKA_CHECK_EMAIL, ORKA_CHECK_PASSWORD. With --from-file the file names the
variables. Further ones are optional; what needs them is listed as not run without them:
ORKA_CHECK_OTHER_EMAIL and ORKA_CHECK_OTHER_PASSWORD (a user of another tenant), ORKA_CHECK_JWT_SECRET (to
make a token that has expired), ORKA_CHECK_DATABASE_URL (to read rows back), SUPABASE_SERVICE_KEY (to see that
it is taken). Secrets are never printed.

The page is loaded by Chromium: the one on PATH, or ORKA_CHROMIUM.
Rows that cannot be read from here (ORKA_CHECK_DATABASE_URL is not set) are read by a Job in the cluster,
made from the gate's and deleted afterwards, unless --no-job. A Job that gives no result is an error of those
rows; where there is no gate, they are listed as not run.
Pods that start, or that were told to end, are waited for before anything is asked: what they answer says
nothing of the release. That takes 45 s at most, besides --deadline; --without pods leaves it out.
What gave no answer is asked up to --attempts times, but a POST that may have been received is not sent again.
A GET is sent again after a 502, 503 or 504 too, and where the answer is only late or lacks rows that may be
on their way; any other wrong answer of a call stands. Signing in is tried again after a 429 or a 5xx.
A health address that was not well is asked again, and has to be well three times in a row then (once, if it
was only late).
In a file (--from-file) a call may have "attempts" of its own and a "deadline_s": the seconds for all of them.
A red check that is not critical degrades the release and does not fail it.
Where TERMINATION_LOG (or /dev/termination-log) exists, the cause of a red run is written there.

exit codes:
  0  all critical checks passed
  1  a critical check failed: an answer came and was not the expected one
  2  usage, configuration or the file of --outputs: nothing was asked; or all passed, and a report could not
     be written
  3  errored: no answer to judge, or Pulumi did not give the stack's outputs
  4  inconclusive: what is red says nothing about this release (it was red in the baseline)

JSON (--json), schema version 1:
  {"schema_version", "release_id", "verdict", "started_at", "duration_ms", "degraded": [NAME],
   "not_run": [{"name", "kind", "reason"}],
   "checks": [{"name", "kind", "verdict", "reason", "latency_ms", "url", "attempts", "critical", "samples",
               "before"}]}
  verdict is passed, failed, errored or inconclusive; reason is null for a passed check.
"""


class Subparsers(Protocol):
    """What argparse gives to add commands to."""

    def add_parser(self, name: str, **options: object) -> argparse.ArgumentParser:
        """Add one."""


def add_to(subparsers: Subparsers) -> None:
    """Add the parser of `checks`."""
    parser = subparsers.add_parser(
        "checks",
        help="run the checks of a release",
        description="Checks a deployed release: its health, its calls, its page, its rows, what runs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _sources(parser)
    _reports(parser)
    _connections(parser)
    _bounds(parser)


def _sources(parser: argparse.ArgumentParser) -> None:
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument(
        "--from-file", metavar="FILE", help="run the checks of this file (what the gate does)"
    )
    origin.add_argument("--outputs", metavar="FILE", help="take the stack's outputs (JSON) from this file")
    flags.add_stack(parser)
    kinds = sorted(KIND_OF.values())
    parser.add_argument(
        "--only", choices=kinds, action="append", help="run only the checks of this kind; repeatable"
    )
    parser.add_argument(
        "--without",
        choices=kinds,
        action="append",
        default=[],
        help="leave out the checks of this kind, and list them as not run; repeatable",
    )
    parser.add_argument(
        "--profile",
        choices=("guide", "application"),
        help="the guide's calls, or those the application has today (default: the stack's setting)",
    )
    parser.add_argument(
        "--expect-version",
        metavar="VERSION",
        help="what /health must say, with the profile application / (default: the stack's setting)",
    )
    parser.add_argument(
        "--bundle-host",
        action="append",
        metavar="HOST",
        help="a host that the page may name beside its own and the API's; repeatable "
        "(or ORKA_BUNDLE_HOSTS, comma separated; default: those of the stack's settings)",
    )
    parser.add_argument(
        "--no-job",
        action="store_true",
        help="run no Job in the cluster for the rows that cannot be read from here",
    )
    flags.add_context(parser)


def _reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    parser.add_argument("--junit", metavar="FILE", help="write the result for a CI server")
    parser.add_argument("--html", metavar="FILE", help="write a report to read, in one file")
    parser.add_argument(
        "--baseline", metavar="FILE", help="an earlier --json: what was red there says nothing about now"
    )


def _connections(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--supabase-url", metavar="URL", help="base address of Supabase auth (or SUPABASE_URL)"
    )
    parser.add_argument(
        "--connect-to",
        action="append",
        metavar="HOST:PORT:ADDRESS:PORT",
        help="connect elsewhere for this host and port, as curl does; repeatable "
        "(or ORKA_CONNECT_TO, comma separated)",
    )
    parser.add_argument("--cacert", metavar="FILE", help="CA certificates to trust, as PEM (or ORKA_CACERT)")


def _bounds(parser: argparse.ArgumentParser) -> None:
    bounds = Limits()
    parser.add_argument(
        "--timeout", type=float, default=bounds.timeout, help="seconds per attempt (%(default)s)"
    )
    parser.add_argument(
        "--attempts", type=int, default=bounds.attempts, help="attempts per check (%(default)s)"
    )
    parser.add_argument(
        "--pause", type=float, default=bounds.pause, help="seconds between attempts (%(default)s)"
    )
    parser.add_argument(
        "--deadline", type=float, default=bounds.deadline, help="seconds for the whole run (%(default)s)"
    )
