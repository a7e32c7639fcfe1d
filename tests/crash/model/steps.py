"""All that may happen next: the protocol as it is implemented, and what may befall it.

Modelled, step by step: taking the lock with its fence, also from a holder that is only paused; voiding the
intents left behind; planning, under the lock or before it, or from a plan file; looking again; recording
that an attempt is absent; intent, mark as sent, sending, the answer, recording it, one more try after a
refusal that will pass; adopting; `resolve`; a lock ended by force; a crash before and after each of these;
requests that arrive late, twice or never, and answers that are lost; a listing that lags; a store that is
lost, or replaced by a backup made at any moment.

What is assumed:

- A request is executed only while its signature is valid, by the service's clock, and its nonce unused.
  Whatever became of the first copy, its nonce is spent, and later copies are answered with that.
- What was executed is listed by the time the listing lag has passed since its request expired.
- What one transaction of the store wrote is there for good, or none of it.
- A person answers truthfully, and puts a store back while no apply is alive, and the next one waits until
  nothing is under way any more and all that ran is listed.
- Where runs bear no name, the listing is complete after a loss.

`guards.Assumption` takes these away one by one.

Time is no number here. A signature is valid, then expired, then out of its quarantine, and each may take as
long as it likes: a process may be paused at any step. That one apply ends its waiting for an answer after
a minute, and does not send what it signed five seconds ago, is therefore not relied on. A lease may run out
at any moment; a wrong clock of ours is one that says anything about the quarantine.

A unit's run ends well once it has begun, so that nothing asks for another. Not modelled: calls over several
dates and partial coverage, runs of strangers, generations, edits of a spec, names that are read back
altered in the course of it, several calls of one apply at the same time (two units go one after the other),
the adoption of a plan file's own unknown call, stores that fail without a crash.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.crash.model.applying import apply_steps, begun_applies, ended
from tests.crash.model.guards import Setting
from tests.crash.model.people import desk_steps, people_steps, still
from tests.crash.model.service import Step, service_steps
from tests.crash.model.state import DESK, GONE, RULES, State


def first(setting: Setting) -> State:
    """The moment before anything has happened."""
    return State(
        applies=setting.applies,
        people=setting.people,
        crashes=setting.crashes,
        backups=setting.backups,
        restores=setting.restores,
        plan_files=setting.plan_files,
    )


def steps(setting: Setting, state: State) -> Iterator[Step]:
    """Every step that is possible in a moment."""
    if state.applies and (not state.waiting or still(state)):
        yield from begun_applies(setting, state)
    for who, process in enumerate(state.processes):
        if process.at in {DESK, RULES}:
            yield from desk_steps(setting, state, who, process)
        elif process.at != GONE:
            yield from apply_steps(setting, state, who, process)
        if state.crashes and process.at != GONE:
            crashed = ended(state, who)._replace(crashes=state.crashes - 1)
            yield "{} crashes", who, crashed
    yield from people_steps(setting, state)
    yield from service_steps(setting, state)
