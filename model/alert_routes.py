"""Who is told of which alert, and which alerts explain others: one table for both kinds of Alertmanager."""

from __future__ import annotations

from dataclasses import dataclass

NOBODY, PAGER, CHAT, EVERYBODY, WATCHDOG = "nobody", "pager", "chat", "everybody", "watchdog"
TEST_ALERT = "OrkaAlertTest"
BURN_ALERTS = ("OrkaErrorBudgetBurnsFast", "OrkaErrorBudgetBurnsSlowly")
GROUP_BY = ("alertname", "namespace", "service")


@dataclass(frozen=True)
class Matcher:
    """A condition on a label: `=` or `=~`."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        """Return it as Alertmanager writes it."""
        return f'{self.label}{self.operator}"{self.value}"'


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where alerts go that match; times in seconds, None where the root's hold."""

    receiver: str
    matchers: tuple[Matcher, ...]
    goes_on: bool = False
    wait_s: int | None = None
    interval_s: int | None = None
    repeat_s: int | None = None


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """While `cause` fires, `symptom` is not worth a message, where the labels of `equal` are the same."""

    cause: tuple[Matcher, ...]
    symptom: tuple[Matcher, ...]
    equal: tuple[str, ...] = ("namespace",)


@dataclass(frozen=True, kw_only=True)
class Channels:
    """Which ways to people there are: their secrets were given."""

    slack: bool
    pagerduty: bool


def _is(label: str, value: str) -> Matcher:
    return Matcher(label, "=", value)


def _one_of(label: str, *values: str) -> Matcher:
    return Matcher(label, "=~", "|".join(values))


def _alert(name: str) -> tuple[Matcher, ...]:
    return (_is("alertname", name),)


ROOT = Route(receiver=NOBODY, matchers=(), wait_s=30, interval_s=300, repeat_s=4 * 3600)
ROUTES = (
    Route(receiver=WATCHDOG, matchers=_alert("Watchdog"), wait_s=0, interval_s=60, repeat_s=300),
    Route(receiver=EVERYBODY, matchers=_alert(TEST_ALERT), wait_s=0, interval_s=10, repeat_s=3600),
    Route(receiver=PAGER, matchers=(_is("severity", "critical"),), goes_on=True),
    Route(receiver=CHAT, matchers=(_one_of("severity", "critical", "warning"),)),
)


def _explained(cause: str, *symptoms: str, by: str) -> Inhibition:
    """One alert says it for others that are about the same thing."""
    return Inhibition(
        cause=_alert(cause), symptom=(_one_of("alertname", *symptoms),), equal=("namespace", by)
    )


INHIBITIONS = (
    _explained("OrkaCertificateExpiresVerySoon", "OrkaCertificateExpiresSoon", by="target"),
    _explained("OrkaCronJobFailing", "OrkaCronJobLate", by="cronjob"),
    _explained(
        "OrkaServiceDown",
        "OrkaReplicasMissing",
        "OrkaRolloutStuck",
        "OrkaDisruptionBudgetShort",
        by="deployment",
    ),
    _explained("OrkaErrorRateHigh", *BURN_ALERTS, by="target"),
    _explained(*BURN_ALERTS, by="target"),
    _explained("OrkaLatencyHigh", "OrkaLatencyElevated", by="target"),
    _explained("OrkaDatabaseGrowingFast", "OrkaDatabaseGrowing", by="datname"),
    # A backend without its database or cache says so itself, and its jobs and requests fail: a page will do.
    Inhibition(
        cause=_alert("OrkaRedisDown"),
        symptom=(_is("alertname", "OrkaHealthFailing"), _one_of("target", "backend", "redis")),
    ),
    Inhibition(
        cause=_alert("OrkaDatabaseDown"),
        symptom=(_is("alertname", "OrkaHealthFailing"), _one_of("target", "backend", "database")),
    ),
    Inhibition(
        cause=_alert("OrkaDatabaseDown"),
        symptom=(
            _one_of("alertname", "OrkaErrorRateHigh", *BURN_ALERTS, "OrkaCronJobFailing", "OrkaJobFailed"),
        ),
    ),
)
