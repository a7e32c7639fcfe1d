"""How triggers move: from what was asked for, done by people and true of the world, to states.

`replay` is a discrete-event computation over the work clock. It has no memory: the same triggers,
interventions, worlds and moment always give the same states, so nothing that follows is stored.

The rules:
- A date begins when it is its turn: in a serial call once every instance of the date before it has
  succeeded; in a parallel one as soon as fewer than `concurrent_dates` dates have something running.
  A failed date holds a serial call up until it is repaired; in a parallel call it frees its place.
- An instance runs when its date has begun and all its parents in the same trigger, on the same date,
  have succeeded. Two hourly nodes wait hour for hour; a daily node waits for every hour of an hourly
  parent. Instances of one node do not wait for one another.
- When its turn comes, an excluded node, or a node that the world skips on this date, succeeds at
  once without running. Any other runs for `seconds` and then succeeds or fails as the world says.
  What counts is the world at the moment an execution starts.
- `fail` with `times: n` counts the executions of a node on a date over all triggers and restarts.
- A stopped instance fails at once. A restarted one runs again as soon as its parents have succeeded,
  whatever the limit on dates. Marking a failed one as succeeded lets its dependants go on.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.simulator.runs import (
    NOT_STARTED,
    Execution,
    InstanceState,
    Intervention,
    PlannedNode,
    Status,
    Trigger,
    Verb,
)
from reconciler.simulator.world import Node, World

# At one moment ends come first, then new triggers, then what people do: they saw the ends.
_END, _BEGIN, _ACT = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldVersion:
    """A world, and since which moment of the work clock it holds."""

    from_ms: int
    world: World


def replay(
    triggers: Sequence[Trigger],
    interventions: Sequence[Intervention],
    worlds: Sequence[WorldVersion],
    until_ms: int,
) -> Mapping[int, tuple[InstanceState, ...]]:
    """Work out where triggers are at a moment of the work clock.

    Args:
        triggers: Triggers that share a counted failure have to be replayed together.
        interventions: What was done to them, in the order it was done.
        worlds: Every version of the world, ascending by `from_ms`; at least one.
        until_ms: What happens at this very moment has happened.

    Returns:
        For each trigger id the states of its instances, by instance number.
    """
    agenda = _Agenda()
    executed: Counter[tuple[str, int, int]] = Counter()
    courses = {
        trigger.id: _Course(trigger, worlds=worlds, agenda=agenda, executed=executed)
        for trigger in triggers
    }
    for trigger in triggers:
        agenda.add(trigger.created_work_ms, _BEGIN, trigger.id)
    for done in interventions:
        agenda.add(done.at_ms, _ACT, done.trigger_id, done)
    for at_ms, trigger_id, what in agenda.until(until_ms):
        courses[trigger_id].happen(what, at_ms)
    return {trigger_id: tuple(course.states) for trigger_id, course in courses.items()}


def world_at(worlds: Sequence[WorldVersion], at_ms: int) -> World:
    """The world that held at a moment of the work clock; before all of them the first one."""
    return next(v.world for v in reversed(worlds) if v.from_ms <= at_ms or v is worlds[0])


def limited_failures(worlds: Sequence[WorldVersion]) -> Mapping[int, tuple[int, int]]:
    """Nodes whose failures are counted, each with its first and last such date, as ordinals."""
    found: dict[int, tuple[int, int]] = {}
    for version in worlds:
        nodes = (*version.world.nodes, *(n for flow in version.world.flows for n in flow.nodes))
        for node in nodes:
            days = [
                failure.date.toordinal() for failure in node.failures if failure.times is not None
            ]
            days.extend(found.get(node.id, ()))
            if days:
                found[node.id] = (min(days), max(days))
    return found


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the execution number `execution` (from 1) of an instance."""

    index: int
    execution: int
    status: Status


_What = _End | Intervention | None


class _Agenda:
    """What is going to happen, by time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int, _What]] = []
        self._order = itertools.count()

    def add(self, at_ms: int, rank: int, trigger_id: int, what: _What = None) -> None:
        heapq.heappush(self._heap, (at_ms, rank, next(self._order), trigger_id, what))

    def until(self, until_ms: int) -> _Events:
        return _Events(self._heap, until_ms)


@dataclass(slots=True)
class _Events:
    """Takes events off the agenda; what they add is taken in its turn."""

    heap: list[tuple[int, int, int, int, _What]]
    until_ms: int

    def __iter__(self) -> _Events:
        return self

    def __next__(self) -> tuple[int, int, _What]:
        if not self.heap or self.heap[0][0] > self.until_ms:
            raise StopIteration
        at_ms, _, _, trigger_id, what = heapq.heappop(self.heap)
        return at_ms, trigger_id, what


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the instances of one date depend on one another, by their offset within the date."""

    needs: tuple[int, ...]
    feeds: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, places: Sequence[tuple[PlannedNode, int | None]]) -> _Shape:
        offsets: dict[int, list[tuple[int | None, int]]] = {}
        for offset, (node, hour) in enumerate(places):
            offsets.setdefault(node.id, []).append((hour, offset))
        needs = [0] * len(places)
        feeds: list[list[int]] = [[] for _ in places]
        for offset, (node, hour) in enumerate(places):
            for parent in node.parents:
                for parent_hour, parent_offset in offsets.get(parent, ()):
                    if hour is None or parent_hour is None or hour == parent_hour:
                        needs[offset] += 1
                        feeds[parent_offset].append(offset)
        return cls(tuple(needs), tuple(map(tuple, feeds)))


@dataclass(slots=True)
class _Course:
    """One trigger on its way."""

    trigger: Trigger
    worlds: Sequence[WorldVersion]
    agenda: _Agenda
    executed: Counter[tuple[str, int, int]]
    states: list[InstanceState] = field(init=False)
    running_dates: Counter[int] = field(default_factory=Counter)
    _places: tuple[tuple[PlannedNode, int | None], ...] = field(init=False)
    _shape: _Shape = field(init=False)
    _missing: list[int] = field(init=False)
    _unfinished: list[int] = field(init=False)
    _begun: int = 0
    _ready: deque[int] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._places = self.trigger.places()
        self._shape = _Shape.of(self._places)
        self.states = [NOT_STARTED] * self.trigger.instance_count
        self._missing = list(self._shape.needs) * self.trigger.date_count
        self._unfinished = [len(self._places)] * self.trigger.date_count

    def happen(self, what: _What, at_ms: int) -> None:
        match what:
            case _End(index=index, execution=execution, status=status):
                # An execution that was stopped has ended before.
                state = self.states[index]
                if state.status is Status.RUNNING and len(state.executions) == execution:
                    self._finish(index, status, at_ms)
            case Intervention(index=index, verb=verb):
                self._intervene(index, verb, at_ms)
            case None:
                pass
        self._go_on(at_ms)

    def _go_on(self, at_ms: int) -> None:
        """Start whatever can start; a start may make others possible at once."""
        while True:
            while self._ready:
                self._start(self._ready.popleft(), at_ms)
            if not self._may_begin_a_date():
                return
            per_date = len(self._places)
            start = self._begun * per_date
            self._begun += 1
            self._ready.extend(i for i in range(start, start + per_date) if not self._missing[i])

    def _may_begin_a_date(self) -> bool:
        if self._begun == self.trigger.date_count:
            return False
        if self.trigger.concurrent_dates == 1:
            return self._begun == 0 or not self._unfinished[self._begun - 1]
        return len(self.running_dates) < self.trigger.concurrent_dates

    def _start(self, index: int, at_ms: int) -> None:
        state = replace(self.states[index], waiting_ms=at_ms)
        planned, _ = self._places[index % len(self._places)]
        world = world_at(self.worlds, at_ms)
        node = world.node(planned.id) or Node(id=planned.id)
        date = self.trigger.date(index // len(self._places))
        if planned.excluded or date in node.skips:
            self.states[index] = replace(state, dry=True)
            self._set(index, Status.SUCCESS, at_ms)
            return
        self.states[index] = replace(
            state, dry=False, executions=(*state.executions, Execution(at_ms))
        )
        self._set(index, Status.RUNNING, at_ms)
        end = _End(index, len(state.executions) + 1, self._verdict(node, date))
        self.agenda.add(at_ms + round(node.seconds * 1000), _END, self.trigger.id, end)

    def _finish(self, index: int, status: Status, at_ms: int) -> None:
        state = self.states[index]
        last = replace(state.executions[-1], end_ms=at_ms, status=status)
        self.states[index] = replace(state, executions=(*state.executions[:-1], last))
        self._set(index, status, at_ms)

    def _verdict(self, node: Node, date: dt.date) -> Status:
        """How the execution that starts now will end; counts it where executions count."""
        failure = node.failure_on(date)
        if failure is None:
            return Status.SUCCESS
        if failure.times is None:
            return Status.FAILURE
        key = (self.trigger.environment, node.id, date.toordinal())
        self.executed[key] += 1
        return Status.FAILURE if self.executed[key] <= failure.times else Status.SUCCESS

    def _intervene(self, index: int, verb: Verb, at_ms: int) -> None:
        status = self.states[index].status
        match verb:
            case Verb.STOP if status is Status.RUNNING:
                self._finish(index, Status.FAILURE, at_ms)
            case Verb.SET_SUCCESS if status is Status.FAILURE:
                self._set(index, Status.SUCCESS, at_ms)
            case Verb.RESTART if status in {Status.FAILURE, Status.SUCCESS}:
                self._set(index, Status.NOT_RUN, at_ms)
                if not self._missing[index]:
                    self._ready.append(index)
            case _:
                pass  # The request was checked against these states; only a changed world gets here.

    def _set(self, index: int, status: Status, at_ms: int) -> None:
        """Change a status, and the counts that follow from it."""
        before = self.states[index].status
        self.states[index] = replace(self.states[index], status=status, changed_ms=at_ms)
        date = index // len(self._places)
        if before is Status.RUNNING:
            self.running_dates[date] -= 1
            if not self.running_dates[date]:
                del self.running_dates[date]
        if status is Status.RUNNING:
            self.running_dates[date] += 1
        change = (status is Status.SUCCESS) - (before is Status.SUCCESS)
        if change:
            self._count_success(index, date, change)

    def _count_success(self, index: int, date: int, change: int) -> None:
        self._unfinished[date] -= change
        first = date * len(self._places)
        for offset in self._shape.feeds[index - first]:
            fed = first + offset
            self._missing[fed] -= change
            if not self._missing[fed] and self.states[fed].status is Status.NOT_RUN and change > 0:
                self._ready.append(fed)
