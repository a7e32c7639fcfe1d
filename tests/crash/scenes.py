"""What leads up to each named point: the commands that reach it, and what they find there.

Every scene leaves calls to be made after its point: one meets the outcome of the case, and another shows
that the service lists our runs, without which absence is never proved. Where the outcome keeps the first
call from a point, the second gets there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from reconciler.model.steps import Durable, Exchange, Wire
from reconciler.usecases.saved_plans import read_plan
from tests.crash.hooks import Hooks, Strike
from tests.crash.stage import APPLY, Stage
from tests.scenario.faulty import TlsDoor, certificate
from tests.scenario.processes import Service
from tests.scenario.sandbox import Result
from tests.unit.state.databases import PostgresDatabase, SqliteDatabase
from tests.unit.state.format1.old_stores import make_old_store

#: Dates of which each is a call of its own, and one before them.
EARLIER = "2020-05-18"
DAYS = ("2020-05-20", "2020-05-22", "2020-05-24")

SAVED = "saved.json"

#: How long the answer to a create takes where a lease is to be prolonged meanwhile, and how often it is.
SLOW_SECONDS = 0.3
HEARTBEAT_SECONDS = 0.05


def first_apply(stage: Stage) -> None:
    """Nothing was ever applied."""
    stage.wants(*DAYS)


def a_later_apply(stage: Stage) -> None:
    """One date has run and was listed."""
    stage.wants(EARLIER)
    assert stage.apply().code == 0
    stage.wants(EARLIER, *DAYS)


def a_lost_run(stage: Stage) -> None:
    """A call was executed and its answer lost."""
    stage.wants(DAYS[0])
    stage.spoil_create(effect="execute_then_drop")
    assert stage.apply().code == 3
    stage.wants(*DAYS)


def a_call_that_never_arrived(stage: Stage) -> None:
    """One date has run and was listed, and the call for the next was lost."""
    a_later_apply(stage)
    stage.wants(EARLIER, DAYS[0])
    stage.spoil_create(effect="drop")
    assert stage.apply().code == 3
    stage.wants(EARLIER, *DAYS)


def a_first_call_that_never_arrived(stage: Stage) -> None:
    """It was the only one so far, so that no listing has shown a run of ours yet."""
    stage.wants(DAYS[0])
    stage.spoil_create(effect="drop")
    assert stage.apply().code == 3
    stage.wants(*DAYS)


def a_lock_left_behind(stage: Stage) -> None:
    """An apply died as soon as it had the lock."""
    stage.wants(*DAYS)
    died = stage.launch(*APPLY, hooks=Hooks(strike=Strike(point="acquire.durable"))).ended()
    assert died.code < 0


def a_store_of_format_1(stage: Stage) -> None:
    """Two other projects have theirs in a store that an older version made."""
    database: SqliteDatabase | PostgresDatabase
    if stage.database is None:
        database = SqliteDatabase(stage.root)
        database.path = stage.root / ".reconciler" / "state.db"
    else:
        database = PostgresDatabase(stage.root)
        database.url = stage.database
    make_old_store(database)
    database.close()
    stage.wants(*DAYS)


def a_saved_plan(stage: Stage) -> None:
    """A plan was saved before, and more is wanted by now."""
    stage.wants(DAYS[0])
    assert stage.run("plan", "--out", SAVED).code == 0
    stage.wants(*DAYS)


def one_by_one(stage: Stage) -> tuple[str, ...]:
    del stage
    return (*APPLY, "--parallelism", "1")


def save_a_plan(stage: Stage) -> tuple[str, ...]:
    del stage
    return ("plan", "--out", str(SAVED))


def resolve(stage: Stage) -> tuple[str, ...]:
    del stage
    return ("resolve", f"backfill.orders@{DAYS[0]}", "--never-ran", "--reason", "not there")


def unlock(stage: Stage) -> tuple[str, ...]:
    ((lock,),) = stage.state("SELECT lease_id FROM stack")
    return ("unlock", lock, "--reason", "its process died")


def nothing_more(stage: Stage) -> None:
    """Nothing else is to be said of the store as the kill left it."""


def a_whole_plan_or_none(stage: Stage) -> None:
    """Whoever looks for the plan finds the old one, the new one, or none; not a part of one."""
    if (stage.root / SAVED).exists():
        read_plan(stage.root / SAVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How a point is reached.

    Attributes:
        arranges: What comes before, one of these; they leave three dates wanted.
        command: What reaches the point.
        times: How often the command reaches it at least, whatever the outcome.
        after: From which point on that is counted.
        ages: Whether what was arranged has to age past the quarantine first.
        slow_seconds: How long the first create takes.
        heartbeat_seconds: How often the lease is prolonged, if not as usual.
        secured: Whether it goes over TLS.
        leaves: Checks what the kill left behind.
    """

    arranges: tuple[Callable[[Stage], None], ...] = (first_apply, a_later_apply)
    command: Callable[[Stage], tuple[str, ...]] = one_by_one
    times: int = 1
    after: str | None = None
    ages: bool = False
    slow_seconds: float = 0.0
    heartbeat_seconds: float | None = None
    secured: bool = False
    leaves: Callable[[Stage], None] = nothing_more

    def hooks(self, point: str, chance: random.Random) -> Hooks:
        """Those of the process that dies there."""
        nth = chance.randint(1, self.times)
        return Hooks(
            strike=Strike(point=point, nth=nth, after=self.after),
            heartbeat_seconds=self.heartbeat_seconds,
        )


#: Of three calls the last is left to the next apply.
_OF_A_CALL = Scene(times=2)

DURABLE = {
    Durable.CREATE_STORE: Scene(arranges=(first_apply,)),
    Durable.UPGRADE_STORE: Scene(arranges=(a_store_of_format_1,)),
    Durable.ACQUIRE: Scene(arranges=(first_apply, a_lost_run)),
    Durable.RENEW: Scene(
        after="create.body.complete",
        slow_seconds=SLOW_SECONDS,
        heartbeat_seconds=HEARTBEAT_SECONDS,
    ),
    Durable.RELEASE: Scene(),
    Durable.UNLOCK: Scene(arranges=(a_lock_left_behind,), command=unlock),
    Durable.INTENT: _OF_A_CALL,
    Durable.SENT: _OF_A_CALL,
    Durable.SETTLE: _OF_A_CALL,
    Durable.ADOPT: Scene(arranges=(a_lost_run,)),
    Durable.ABSENT: Scene(arranges=(a_call_that_never_arrived,), ages=True),
    Durable.OBSERVE: Scene(times=3),
    Durable.TAGS: Scene(arranges=(first_apply,)),
    Durable.COUNT: Scene(),
    Durable.RULING: Scene(arranges=(a_first_call_that_never_arrived,), command=resolve, ages=True),
    Durable.PLAN_FILE: Scene(
        arranges=(first_apply, a_saved_plan), command=save_a_plan, leaves=a_whole_plan_or_none
    ),
}

WIRE = {
    (Exchange.READ, Wire.CONNECT): Scene(),
    (Exchange.READ, Wire.TLS): Scene(arranges=(first_apply,), secured=True),
    # The plan's listing, and of three calls that are read back one may be lost.
    **{
        (Exchange.READ, phase): Scene(times=3)
        for phase in (Wire.HEAD, Wire.BODY, Wire.ANSWER_HEAD, Wire.ANSWER_BODY)
    },
    (Exchange.CREATE, Wire.TLS): Scene(times=3, secured=True),
    **{(Exchange.CREATE, phase): _OF_A_CALL for phase in (Wire.CONNECT, Wire.HEAD, Wire.BODY)},
    # Of three answers one may be lost.
    **{(Exchange.CREATE, phase): Scene(times=2) for phase in (Wire.ANSWER_HEAD, Wire.ANSWER_BODY)},
}


def scene_of(point: str) -> Scene:
    """The scene in which a point is reached.

    Raises:
        KeyError: It has none.
    """
    match point.split("."):
        case [step, _]:
            return DURABLE[Durable(step)]
        case [exchange, phase, _]:
            return WIRE[Exchange(exchange), Wire(phase)]
        case _:
            raise KeyError(point)


@contextmanager
def secured(service: Service, folder: Path) -> Iterator[Callable[[Stage], None]]:
    """A front door with TLS before a simulator; yields what has a stage go through it."""
    url = httpx.URL(service.url)
    assert url.port is not None
    trusted, context = certificate(folder, "trusted")
    with TlsDoor((url.host, url.port), context) as door:
        yield lambda stage: stage.secure(door.url, trusted)


def recovered(stage: Stage) -> Result:
    """The next apply: of the plan that was saved, once, where there is one of all that is wanted."""
    saved = stage.root / SAVED
    if not saved.exists() or len(read_plan(saved).calls) < len(DAYS):
        return stage.launch(*APPLY).ended()
    applied = stage.launch("apply", SAVED).ended()
    saved.unlink()  # what it left unknown takes a plan of its own
    return applied
