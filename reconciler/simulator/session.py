"""What one request may see and change: a transaction, the moment on each clock, and the world."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.simulator import records, settings
from reconciler.simulator.clocks import Clocks, counts_as_signed_at
from reconciler.simulator.records import TriggerFilter
from reconciler.simulator.runs import InstanceState, Intervention, Trigger, Verb
from reconciler.simulator.settings import AccessKey
from reconciler.simulator.transitions import WorldVersion, replay
from reconciler.simulator.world import World

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A trigger, and the states of its instances now, by instance number."""

    trigger: Trigger
    states: tuple[InstanceState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One request's transaction.

    `worlds` has every version of the world, oldest first; the last one holds now. `limited` are the
    nodes whose failures are counted in any of them (`transitions.limited_failures`).
    """

    connection: sqlite3.Connection
    clocks: Clocks
    real_ms: int
    worlds: Sequence[WorldVersion]
    limited: Mapping[int, tuple[int, int]]
    key: AccessKey
    request_id: str

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self.worlds[-1].world

    @property
    def work_ms(self) -> int:
        """Now, on the work clock."""
        return self.clocks.work_ms(self.real_ms)

    @property
    def gateway_ms(self) -> int:
        """Now, on the gateway clock."""
        return self.clocks.gateway_ms(self.real_ms)

    def counts_as_signed_at(self, signed_ms: int) -> int:
        """The gateway time at which a signature with this timestamp counts as made.

        A client whose own time was refused takes ours from the `Date` header: then it is that one.
        """
        later = settings.advances(self.connection, signed_ms)
        by_real_time = counts_as_signed_at(signed_ms, self.clocks, later)
        return min(by_real_time, signed_ms, key=lambda moment: abs(self.gateway_ms - moment))

    @property
    def oldest_work_ms(self) -> int:
        """Runs created before this moment of the work clock are gone."""
        return self.work_ms - round(self.world.retention_days * _DAY_MS)

    def dag(self, dag_id: int) -> Seen | None:
        """The trigger of a DAG, while it is remembered."""
        return self._seen(records.trigger_of_dag(self.connection, dag_id))

    def instance(self, instance_id: int) -> Seen | None:
        """The trigger of an instance, while it is remembered."""
        return self._seen(records.trigger_of_instance(self.connection, instance_id))

    def op_seq(self, op_seq: int) -> Seen | None:
        """The trigger with an operation sequence number, while it is remembered."""
        return self._seen(records.trigger_of_op_seq(self.connection, op_seq))

    def listed(self, wanted: TriggerFilter) -> tuple[Seen, ...]:
        """Triggers that a listing may show: neither gone nor too young to be listed."""
        youngest = self.work_ms - round(self.world.listing_lag_seconds * 1000)
        found = records.find_triggers(
            self.connection, wanted, created_ms=(self.oldest_work_ms, youngest)
        )
        return self._replay(found)

    def intervene(self, trigger: Trigger, index: int, verb: Verb) -> None:
        """Do something to the instance number `index` of a trigger, now."""
        done = Intervention(trigger_id=trigger.id, index=index, verb=verb, at_ms=self.work_ms)
        records.add_intervention(self.connection, done)

    def _seen(self, trigger: Trigger | None) -> Seen | None:
        if trigger is None or trigger.created_work_ms < self.oldest_work_ms:
            return None
        return self._replay((trigger,))[0]

    def _replay(self, triggers: Sequence[Trigger]) -> tuple[Seen, ...]:
        """Replay each trigger alone, but those that share counted failures together."""
        counted = records.triggers_with_counted_failures(self.connection, self.limited)
        together = {trigger.id for trigger in counted}
        groups: list[tuple[Trigger, ...]] = [
            (trigger,) for trigger in triggers if trigger.id not in together
        ]
        if any(trigger.id in together for trigger in triggers):
            groups.append(counted)
        states: dict[int, tuple[InstanceState, ...]] = {}
        for group in groups:
            done = records.interventions_of(self.connection, [trigger.id for trigger in group])
            states.update(replay(group, done, self.worlds, self.work_ms))
        return tuple(Seen(trigger=t, states=states[t.id]) for t in triggers)
