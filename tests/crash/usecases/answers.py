"""People who say what became of units that only a person can help."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from reconciler.model.attempts import Attempt
from tests.crash.mortal import At
from tests.crash.usecases.applying import Applying
from tests.crash.usecases.checks import telling
from tests.crash.usecases.draws import days, names, picks, ruling_deaths
from tests.crash.usecases.ledger_model import MEMORY_SECONDS, Ran
from tests.crash.usecases.plans import Planned, newest, units_of, value_of
from tests.crash.usecases.project import KILLED
from tests.crash.usecases.specs import FLOW, Key, address_of, day_text
from tests.scenario.processes import QUARANTINE_SECONDS

WHY = ("--reason", "looked at the console")

#: From when on a signature may be refused, whatever margin the product adds.
VALIDITY_SECONDS = 15 * 60

#: What is said of a unit: an option of `resolve`, and its value.
Words = tuple[str, ...]

_AGAIN: tuple[Words, ...] = (("--rerun",), ("--succeeded",))


class Answers(Applying):
    """`resolve`, by people who looked at the console, and by people who did not."""

    @precondition(lambda self: self.has_store())
    @rule(pick=picks, choice=picks, dies=st.none() | ruling_deaths)
    def resolve(self, pick: int, choice: int, dies: At | None) -> None:
        """A person answers truthfully about one unit that needs somebody."""
        units = [one for one in units_of(self.plan()) if one.needs_a_person]
        if units:
            self.answer(units[pick % len(units)], choice, dies)

    @rule(
        effect=st.sampled_from(["drop", "execute_then_drop"]),
        choice=picks,
        dies=st.none() | ruling_deaths,
    )
    def lose_a_flow_and_resolve(self, effect: str, choice: int, dies: At | None) -> None:
        """A run that may bear no name is lost on its way there or back; later somebody looks for it."""
        self.apply(fault={"operation": "CreateManualDag", "nth": 1, "effect": effect})
        self.project.advance(QUARANTINE_SECONDS)
        if self.has_store():
            self.resolve(0, choice, dies)

    def answer(self, unit: Planned, choice: int, dies: At | None = None) -> None:
        """Say one of the things that are true of a unit."""
        told = self._truths(unit)
        said = told[choice % len(told)]
        open_call = newest(self.record(), unit.key, lambda one: one.state.unresolved)
        before, now = self.project.store.events("resolved"), self.now
        words = ("resolve", f"{unit.address}@{unit.date}", *said, *WHY)
        result = self.command(*words, dies=dies)
        taken = self.project.store.events("resolved") > before
        assert result.code == KILLED or (result.code == 0) == taken, telling(words, result)
        if taken:
            self.happened["resolved"] += 1
            if unit.decision == "unknown" and open_call is not None:
                self._said_of_a_call(unit.key, said, open_call, now)
            else:
                self._said_of_a_run(unit.key, said)

    def _truths(self, unit: Planned) -> tuple[Words, ...]:
        """What a person who looked at the console may say of a unit."""
        ours = self.model.off_record(unit.key, self.known())
        strangers = unit.decision == "hold" and unit.reason in {"candidate", "foreign_in_flight"}
        if unit.decision != "unknown" and not strangers:
            return _AGAIN
        if ours is None:
            hand = (run for run, key in self.model.by_hand.items() if key == unit.key)
            runs = [("--run-id", run) for run in hand] if strangers else []
            return (("--never-ran",), *runs, *_AGAIN)
        if self.now - ours.at >= MEMORY_SECONDS:
            return _AGAIN
        return (("--run-id", ours.run_id), *(() if strangers else _AGAIN))

    def _said_of_a_call(self, key: Key, said: Words, call: Attempt, now: float) -> None:
        """What a person's word on a call of unknown outcome means for what may still start."""
        unit = self.model.units[key]
        if said[0] in {"--never-ran", "--rerun"}:
            signed = call.signed_at
            valid = signed is not None and now - signed.timestamp() < VALIDITY_SECONDS
            assert not valid, f"{said} was taken while the request could still be executed"
        if said[0] == "--rerun":
            unit.licenses += 1
        elif said[0] == "--succeeded":
            unit.licenses = 0
            unit.last = Ran(value_of(self.record().series[call.series]), call.generation)

    def _said_of_a_run(self, key: Key, said: Words) -> None:
        """The same of any other unit that is held."""
        unit, spec = self.model.units[key], self.specs.get(key[0])
        if said[0] == "--rerun":
            unit.licenses += 1
        elif said[0] in {"--succeeded", "--run-id"}:
            unit.licenses = 0
            if spec is not None:
                unit.last = Ran(spec.value, spec.generation(key[1]))

    @precondition(lambda self: self.has_store())
    @rule(name=names, day=days, word=picks)
    def answer_what_nobody_asked(self, name: str, day: int, word: int) -> None:
        """Impossible words are refused, and nothing is recorded."""
        others = (
            one.run_id
            for key, unit in self.model.units.items()
            for one in unit.starts
            if key[0] != name and (key[0] == FLOW) != (name == FLOW)
        )
        runs = ("4242", "no id", *others)
        unit = f"{address_of(name)}@{day_text(day)}"
        before = self._told_of_runs()
        result = self.command("resolve", unit, "--run-id", runs[word % len(runs)], *WHY)
        assert result.code in {1, 5}, result
        assert self._told_of_runs() == before

    def _told_of_runs(self) -> list[int]:
        return [self.project.store.events(event) for event in ("resolved", "adopted")]
