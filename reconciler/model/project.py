"""The project file as values: connections, credentials, policy, where state lives.

`reconciler.yaml` is the only place these come from; a spec can name a connection and nothing more.
Secrets are held in `Secret`, whose text appears only where a signature is computed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.model.diagnostics import Place
from reconciler.model.series import Realm


@dataclass(frozen=True, slots=True)
class UnsetVariable:
    """An environment variable that a secret is to come from and that holds nothing; `place` asks for it."""

    name: str
    place: Place
    is_empty: bool = False

    def __str__(self) -> str:
        what = "empty" if self.is_empty else "not set"
        return f"the environment variable {self.name} ({self.place}) is {what}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that must not be printed. `reveal` is called by signing code only.

    Where the text is to come from a variable that holds nothing, `unset` is that variable. Only who
    signs needs the text, so only `reveal` fails.
    """

    _text: str = field(repr=False)
    unset: UnsetVariable | None = None

    @classmethod
    def missing(cls, variable: UnsetVariable) -> Secret:
        """A secret whose variable holds nothing."""
        return cls("", variable)

    def reveal(self) -> str:
        """The secret itself.

        Raises:
            LookupError: There is none: its variable holds nothing.
        """
        if self.unset is not None:
            raise LookupError(str(self.unset))
        return self._text

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class DefaultCredentials:
    """The vendor's own chain decides."""


@dataclass(frozen=True, slots=True)
class EnvCredentials:
    """The vendor's environment variables, and nothing else."""


@dataclass(frozen=True, slots=True)
class ProfileCredentials:
    """A named profile of the vendor's command-line tool."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticCredentials:
    """Keys given in the project file, through `${env:…}`."""

    access_key_id: Secret
    access_key_secret: Secret
    security_token: Secret | None = None


Credentials = DefaultCredentials | EnvCredentials | ProfileCredentials | StaticCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCredentials:
    """A user of Huawei's IAM, for whom tokens are asked; `domain` is the account's name."""

    user: str
    domain: str
    password: Secret


DataArtsCredentials = DefaultCredentials | EnvCredentials | StaticCredentials | PasswordCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorEndpoint:
    """`endpoint: simulator`: the embedded one. `world` is a path relative to the project, or None."""

    world: str | None = None
    clock: str = "x600"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What we allow ourselves: calls a second for reads and creates, calls a day (0: no bound)."""

    read_qps: float = 5.0
    write_qps: float = 1.0
    daily_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DataWorksConnection:
    """A DataWorks workspace.

    `endpoint` is None for the region's own, a URL, or the embedded simulator. `project` (English
    identifier) serves manual flows, `project_id` backfills. `skew_seconds` and `lag_seconds` bound the
    clock difference and the listing lag that the absence proof allows for. With
    `markers`, manual runs carry our tag in a parameter of their own.
    """

    name: str
    region: str
    place: Place
    project: str | None = None
    project_id: str | None = None
    environment: str = "PROD"
    timezone: str = "Asia/Shanghai"
    credentials: Credentials = field(default_factory=DefaultCredentials)
    endpoint: str | SimulatorEndpoint | None = None
    realm: Realm = Realm.LIVE
    limits: Limits = field(default_factory=Limits)
    skew_seconds: int = 60
    lag_seconds: int = 180
    markers: bool = False
    provider: str = "dataworks"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataArtsConnection:
    """A workspace of DataArts Studio; fields of the same name mean what they do for DataWorks.

    `project_id` is the project's id in `region`; `workspace` and `instance` are ids, None for the service's
    default. `iam_endpoint` issues tokens; None is the region's own.
    """

    name: str
    region: str
    place: Place
    project_id: str
    workspace: str | None = None
    instance: str | None = None
    timezone: str = "Asia/Shanghai"
    credentials: DataArtsCredentials = field(default_factory=EnvCredentials)
    endpoint: str | SimulatorEndpoint | None = None
    iam_endpoint: str | None = None
    realm: Realm = Realm.LIVE
    limits: Limits = field(default_factory=Limits)
    skew_seconds: int = 60
    lag_seconds: int = 180
    provider: str = "dataarts"

    @property
    def home(self) -> str:
        """Project and workspace, as a subject names them."""
        return f"{self.project_id}/{self.workspace or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OBShellConnection:
    """An OceanBase cluster through one of its OBShell agents; it serves gates and runs nothing.

    `password` is that of the cluster, `agent_password` that of the agent, where it has one; without either
    it is empty.
    """

    name: str
    place: Place
    endpoint: str | SimulatorEndpoint
    user: str = "root"
    password: Secret = Secret("")
    agent_password: Secret | None = None
    realm: Realm = Realm.LIVE
    limits: Limits = field(default_factory=Limits)
    provider: str = "obshell"


#: What runs Backfills, and what gates ask, too.
RunConnection = DataWorksConnection | DataArtsConnection
Connection = DataWorksConnection | DataArtsConnection | OBShellConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A period in which nothing is started: from `start`, before `end`, both aware."""

    start: dt.datetime
    end: dt.datetime
    reason: str = ""

    def holds(self, moment: dt.datetime) -> bool:
        """Whether it is in force at an aware moment."""
        return self.start <= moment < self.end

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"frozen until {self.end:%Y-%m-%d %H:%M %z}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a plan may hold, and when. None means no bound."""

    max_dates: int | None = None
    max_calls: int | None = None
    require_annotations: tuple[str, ...] = ()
    earliest_date: dt.date | None = None
    plan_expiry: dt.timedelta = dt.timedelta(days=7)
    freezes: tuple[Freeze, ...] = ()

    def frozen(self, moment: dt.datetime) -> Freeze | None:
        """The freeze in force at an aware moment that ends last, or None."""
        return max(
            (item for item in self.freezes if item.holds(moment)),
            key=lambda item: item.end,
            default=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One GitOps repository. `root` is its folder as given, `file` the project file's path for messages.

    `state` may hold a password; it is empty where a variable in it holds nothing, which is `state_unset`.
    """

    name: str
    root: str
    file: str
    specs: tuple[str, ...] = ("specs/**/*.yaml",)
    state: str = field(default="sqlite:///.reconciler/state.db", repr=False)
    state_unset: UnsetVariable | None = None
    connections: Mapping[str, Connection] = field(default_factory=lambda: MappingProxyType({}))
    policy: Policy = field(default_factory=Policy)
