"""What the stack file may say: every key, its type, its default and its limits, and nothing secret.

`Pulumi.staging.yaml` documents the keys for the reader; this module is where they are decided.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from model.effect_query import EffectQuery
from model.schedule import shortest_period_s
from model.settings_base import (
    Digest,
    DnsLabel,
    HttpUrl,
    Origin,
    Repository,
    Schedule,
    Seconds,
    Strict,
    Text,
    VariableName,
    an_address,
)
from model.settings_cluster import Cluster
from model.settings_contract import BackendContract, Contract
from model.settings_edge import Edge
from model.settings_logging import Logging
from model.settings_monitoring import Monitoring
from model.settings_network import Network
from model.settings_resources import Resources
from model.settings_verification import Verification
from model.time_zone import a_time_zone


class Registry(Strict):
    """Where images of the application are pushed to and pulled from; the password is a secret of its own."""

    host: str
    username: str | None = None


class Build(Strict):
    """How to build an image where no digest is given; paths are relative to the program's folder."""

    context: str
    dockerfile: str | None = None
    base_image: str | None = None
    network: str | None = None
    args: dict[VariableName, str] = Field(default_factory=dict)
    """Build arguments beside the stack's own. They stay in the image's history: no secrets."""
    platform: str = "linux/amd64"


class AppImage(Strict):
    """One image of ours: a repository, and either the digest in it or the way to build it."""

    repository: Repository
    digest: Digest | None = None
    build: Build | None = None

    @model_validator(mode="after")
    def _digest_or_build(self) -> Self:
        if (self.digest is None) == (self.build is None):
            message = "give either `digest` (sha256:…, as `ops images pin` writes it) or `build.context`"
            raise ValueError(message)
        return self


class PublicImage(Strict):
    """One image of others, by digest only."""

    repository: Repository
    digest: Digest


class Images(Strict):
    """Every image that runs."""

    backend: AppImage
    frontend: AppImage | None = None
    """Not needed for a frontend that is hosted elsewhere."""
    ops: AppImage
    prometheus: PublicImage
    alertmanager: PublicImage
    blackbox_exporter: PublicImage
    redis_exporter: PublicImage
    postgres_exporter: PublicImage
    fluentd: PublicImage | None = None
    """Needed where `logging.sink` is set."""


class Database(Strict):
    """How the stack works on the database; the address itself is the secret `database-admin-url`."""

    superuser: bool = False
    rotation: int = Field(default=1, ge=1)
    keep_previous_roles: bool = True
    """Off only when no pod uses the rotation before any more: a dropped role's sessions lose their rights."""
    adopt: bool = False


class Backup(Strict):
    """Where the migration Job puts a backup before it changes anything."""

    claim: DnsLabel


class Migration(Strict):
    """The migration Job; without `backup` it takes none."""

    deadline_seconds: Seconds = 600
    backup: Backup | None = None


class Redis(Strict):
    """Redis, without its password."""

    url: Annotated[
        str,
        Text(
            r"rediss?://[^\s:@/]+(:[0-9]{1,5})?(/[0-9]+)?",
            "expected redis://HOST:PORT/NUMBER or rediss://…, without the password, which is a secret",
        ),
        AfterValidator(an_address),
    ]


class Supabase(Strict):
    """Supabase's REST and auth address."""

    url: HttpUrl


class OpenAI(Strict):
    """OpenAI, or whatever speaks like it."""

    base_url: HttpUrl = "https://api.openai.com/v1"
    organization: Annotated[str, Text(r"org-\w+", "expected org-… as OpenAI shows it")] | None = None


class Features(Strict):
    """The guide's feature flags."""

    audit_trail: bool = True
    anomaly_detection: bool = True
    rag_search: bool = True
    ml_classification: bool = True


class Rollout(Strict):
    """How long a rollout may take before it is called failed."""

    deadline_seconds: Seconds = 300


class Autoscaling(Strict):
    """More pods under load: from `replicas` up to `max-replicas`."""

    max_replicas: int = Field(ge=2, le=100)
    cpu_percent: int = Field(default=70, ge=10, le=95)
    """Of the CPU that a pod asks for, on average over the pods."""


class Served(Strict):
    """What answers requests: pods behind a Service."""

    profile: Literal["guide", "orka-ppm"] = "guide"
    contract: Contract = Contract()
    replicas: int = Field(default=2, ge=1, le=50)
    resources: Resources = Resources()
    rollout: Rollout = Rollout()
    env: dict[VariableName, str] = Field(default_factory=dict)


class Backend(Served):
    """The API."""

    contract: BackendContract = BackendContract()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    cors_origins: tuple[Origin, ...]
    features: Features = Features()
    autoscaling: Autoscaling | None = None

    @property
    def most_replicas(self) -> int:
        """So many pods there may be, leaving rollouts aside."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas

    @model_validator(mode="after")
    def _room_to_scale(self) -> Self:
        if self.autoscaling is not None and self.autoscaling.max_replicas <= self.replicas:
            message = "`autoscaling.max-replicas` must be above `replicas`, from which it scales"
            raise ValueError(message)
        return self


class Frontend(Served):
    """The web application: a part of the stack, or hosted elsewhere, where its URL is checked and listed."""

    target: Literal["kubernetes", "external"] = "kubernetes"
    url: Origin | None = None
    resources: Resources = Resources.model_validate({"memory-request": "64Mi", "memory-limit": "256Mi"})


class CronJob(Strict):
    """One scheduled job. `deadline_seconds` stays below the period, so that one run cannot block the next."""

    schedule: Schedule
    deadline_seconds: Seconds
    suspended: bool = False
    command: tuple[str, ...] = ()
    """Instead of the image's own entry point, where it is not empty."""
    args: tuple[str, ...] | None = None
    """Instead of `backend.contract.job-command` and the job's name."""
    env: dict[VariableName, str] = Field(default_factory=dict)
    """Of this job alone, over the backend's."""
    effect: EffectQuery | None = None
    """Asked instead of the built-in question after a run of `verification.run-jobs`."""

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.deadline_seconds >= (period := shortest_period_s(self.schedule)):
            message = f"`deadline-seconds` must be below {period}, or one run that hangs blocks the next one"
            raise ValueError(message)
        return self


class CronJobs(Strict):
    """The guide's four jobs."""

    time_zone: Annotated[
        str,
        Text(r"[A-Za-z_]+(/[A-Za-z_+-]+[0-9]*)*", "expected the name of a time zone like Europe/Zurich"),
        AfterValidator(a_time_zone),
    ] = "Etc/UTC"
    anomaly_detection: CronJob
    embedding_generation: CronJob
    model_training: CronJob
    scheduled_reports: CronJob
    resources: Resources = Resources()


class Settings(Strict):
    """The whole stack file, without its secrets."""

    cluster: Cluster = Cluster()
    registry: Registry
    images: Images
    database: Database = Database()
    migration: Migration = Migration()
    redis: Redis
    supabase: Supabase
    openai: OpenAI = OpenAI()
    backend: Backend
    frontend: Frontend = Frontend()
    edge: Edge
    network: Network = Network()
    cron_jobs: CronJobs
    monitoring: Monitoring = Monitoring()
    logging: Logging = Logging()
    verification: Verification = Verification()

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"https://{self.edge.api_host}"

    @property
    def frontend_url(self) -> str:
        """Where the frontend answers."""
        return self.frontend.url or f"https://{self.edge.frontend_host}"

    @property
    def edge_hosts(self) -> tuple[str, ...]:
        """The hosts that the ingress controller answers for: the page's only where the page is here."""
        page = self.edge.frontend_host if self.frontend.target == "kubernetes" else None
        return (self.edge.api_host, page) if page else (self.edge.api_host,)
