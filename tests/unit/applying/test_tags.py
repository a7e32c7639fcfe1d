"""Whether our names survive in a workspace: noted when a run is read back, and what then rests on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.applying.lines import Line
from reconciler.model.attempts import AttemptState
from reconciler.model.calls import WireCall
from reconciler.model.events import CallAccepted, TagAltered
from reconciler.model.outcomes import Unknown
from reconciler.model.plan import Decision, Plan, Reason
from reconciler.model.resources import Resource
from reconciler.model.runs import Tier, UnitStatus
from reconciler.model.series import Tag
from reconciler.state.store import SqlStore
from tests.builders import LAG, a_found_run, a_resource, a_series, a_subject, the_action
from tests.fakes.provider import VALIDITY, FakeProvider, FakeRun, Script
from tests.unit.applying.rig import Rig, on_root, resources

pytestmark = pytest.mark.anyio

HOME = a_subject().home
LOST = Script(outcome=Unknown(cause="the connection was reset"), executes=False)
LOST_BUT_EXECUTED = Script(outcome=Unknown(cause="the connection was reset"))
OTHER_TAG = Tag(series="a" * 16, generation=1, call_id="bbbbbb")

#: From then on the absence of what was signed at the start can be proved.
QUARANTINE_SECONDS = (VALIDITY + LAG).total_seconds() + 60

ALTERED: dict[str, Callable[[str], str]] = {
    "prefixed": lambda name: f"P_{name}",
    "cut into the tag": lambda name: name[:20],
    "upper case": str.upper,
    "the spec's name alone": lambda name: name.partition(" ")[2],
    "joined": lambda name: name.replace(" ", "_"),
    "empty": lambda _: "",
    "another call's": lambda _: OTHER_TAG.name("orders"),
}


class Renaming(FakeProvider):
    """A service that gives runs names of its own making."""

    rename: Callable[[str], str] = staticmethod(lambda name: name)

    def _execute(self, call: WireCall) -> FakeRun:
        run = super()._execute(call)
        run.name = self.rename(run.name)
        return run


@pytest.fixture
def service(rig: Rig) -> Renaming:
    """The rig's service, which renames runs once a test says how."""
    provider = Renaming(rig.clock)
    rig.provider = provider
    rig.lines = {"prod": Line(provider=provider, lag=LAG)}
    return provider


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the store was asked to note of tags, in order."""
    asked: list[bool] = []
    note = SqlStore.note_tags

    def listening(store: SqlStore, *words: Any, survives: bool, name: str) -> None:
        asked.append(survives)
        note(store, *words, survives=survives, name=name)

    monkeypatch.setattr(SqlStore, "note_tags", listening)
    return asked


def survive(rig: Rig) -> dict[str, bool]:
    return dict(rig.store.snapshot().tags_survive)


def tiers(plan: Plan) -> set[Tier]:
    return {action.tier for action in plan.actions}


def verdicts(plan: Plan, name: str) -> list[tuple[Decision, Reason]]:
    return [(one.decision, one.reason) for one in plan.actions if one.address.name == name]


async def lose(rig: Rig, lost: Resource, script: Script = LOST) -> None:
    """Leave a call's outcome unknown, and let the time pass within which it could still arrive."""
    rig.provider.script(script, root=lost.series.subject.root)
    await rig.plan_and_apply(lost)
    assert rig.states(lost.address.name) == [AttemptState.UNKNOWN]
    rig.clock.advance(QUARANTINE_SECONDS)


# What is noted ──────────────────────────────────────────────────────────────────────────────────────


async def test_before_anything_was_read_back_nothing_is_noted(rig: Rig) -> None:
    assert survive(rig) == {}


async def test_a_name_that_came_back_whole_is_noted_once_for_many_calls(
    rig: Rig, noted: list[bool]
) -> None:
    applied = await rig.plan_and_apply(*resources(4))
    await rig.plan_and_apply(a_resource("later", series=on_root("9")))
    assert survive(rig) == {HOME: True}
    assert noted == [True]
    assert len(applied.of(CallAccepted)) == 4
    assert applied.of(TagAltered) == ()


async def test_a_name_that_was_cut_behind_its_tag_is_whole_enough(
    rig: Rig, service: Renaming
) -> None:
    service.rename = lambda name: name[: name.index(" ") + 3]
    applied = await rig.plan_and_apply(a_resource())
    assert survive(rig) == {HOME: True}
    assert applied.of(TagAltered) == ()


@pytest.mark.parametrize("how", ALTERED)
async def test_an_altered_name_is_told_and_lowers_the_tier_from_the_next_plan_on(
    rig: Rig, service: Renaming, how: str
) -> None:
    service.rename = ALTERED[how]
    wanted = a_resource()
    plan = await rig.plan(wanted)
    assert tiers(plan) == {Tier.S2}

    applied = await rig.apply(plan)

    assert survive(rig) == {HOME: False}
    (event,) = applied.of(TagAltered)
    (run,) = service.runs.values()
    assert (event.address, event.dates, event.call_id) == (
        wanted.address,
        wanted.dates,
        plan.calls[0].id,
    )
    assert (event.sent, event.seen) == (plan.calls[0].name, run.name)
    assert tiers(await rig.plan(wanted)) == {Tier.S3}


async def test_an_altered_name_is_told_once_for_many_calls(
    rig: Rig, service: Renaming, noted: list[bool]
) -> None:
    service.rename = ALTERED["prefixed"]
    applied = await rig.plan_and_apply(*resources(4))
    again = await rig.plan_and_apply(a_resource("later", series=on_root("9")))
    assert len(applied.of(TagAltered)) == 1
    assert again.of(TagAltered) == ()
    assert noted == [False]


async def test_once_altered_no_whole_name_wins_the_trust_back(rig: Rig, service: Renaming) -> None:
    service.rename = ALTERED["prefixed"]
    await rig.plan_and_apply(a_resource("first", series=on_root("1")))
    service.rename = lambda name: name
    await rig.plan_and_apply(a_resource("second", series=on_root("2")))
    assert survive(rig) == {HOME: False}
    assert tiers(await rig.plan(a_resource("third", series=on_root("3")))) == {Tier.S3}


async def test_a_name_that_is_altered_later_takes_the_trust_away(
    rig: Rig, service: Renaming
) -> None:
    await rig.plan_and_apply(a_resource("first", series=on_root("1")))
    assert survive(rig) == {HOME: True}
    service.rename = ALTERED["prefixed"]
    applied = await rig.plan_and_apply(a_resource("second", series=on_root("2")))
    assert survive(rig) == {HOME: False}
    assert len(applied.of(TagAltered)) == 1


async def test_a_run_that_cannot_be_read_back_tells_nothing(rig: Rig) -> None:
    plan = await rig.plan(a_resource())
    rig.provider.fail("confirm", plan.calls[0].name)
    applied = await rig.apply(plan)
    assert applied.of(CallAccepted)
    assert survive(rig) == {}


async def test_one_workspace_says_nothing_of_another(rig: Rig, service: Renaming) -> None:
    subject = a_subject(workspace="999", root="1")
    elsewhere = a_resource("far", series=a_series(subject=subject, include=("1",)))
    service.rename = ALTERED["prefixed"]
    await rig.plan_and_apply(elsewhere)
    service.rename = lambda name: name
    await rig.plan_and_apply(a_resource("near", series=on_root("2")))
    assert survive(rig) == {HOME: True, subject.home: False}


async def test_adopting_a_run_by_its_tag_shows_that_tags_survive(rig: Rig) -> None:
    wanted = a_resource()
    rig.provider.script(LOST_BUT_EXECUTED)
    await rig.plan_and_apply(wanted)
    assert survive(rig) == {}
    await rig.plan_and_apply(wanted)
    assert rig.states() == [AttemptState.ACCEPTED]
    assert survive(rig) == {HOME: True}


# What rests on it ───────────────────────────────────────────────────────────────────────────────────


async def test_where_names_survive_an_unknown_call_is_proved_absent_and_sent_again(
    rig: Rig,
) -> None:
    lost = a_resource("lost", series=on_root("2"))
    await rig.plan_and_apply(a_resource("shown", series=on_root("1")))
    await lose(rig, lost)
    plan = await rig.plan(lost)
    assert verdicts(plan, "lost") == [(Decision.CREATE, Reason.NEVER_STARTED)]


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.parametrize("script", [LOST, LOST_BUT_EXECUTED], ids=["not executed", "executed"])
async def test_where_names_do_not_survive_no_unknown_call_is_ever_proved_absent(
    rig: Rig, service: Renaming, how: str, script: Script
) -> None:
    service.rename = ALTERED[how]
    shown = a_resource("shown", series=on_root("1"))
    lost = a_resource("lost", series=on_root("2"))
    await rig.plan_and_apply(shown)
    await lose(rig, lost, script)
    executed = rig.provider.executed
    for _ in range(3):
        plan = await rig.plan(shown, lost)
        assert verdicts(plan, "lost") == [(Decision.UNKNOWN, Reason.OUTCOME_UNKNOWN)]
        await rig.apply(plan)
        rig.clock.advance(QUARANTINE_SECONDS)
    assert rig.provider.executed == executed


async def test_a_lost_run_without_its_tag_is_shown_to_a_person(
    rig: Rig, service: Renaming
) -> None:
    service.rename = ALTERED["prefixed"]
    lost = a_resource("lost", series=on_root("2"))
    await rig.plan_and_apply(a_resource("shown", series=on_root("1")))
    await lose(rig, lost, LOST_BUT_EXECUTED)
    action = the_action(await rig.plan(lost), Decision.UNKNOWN)
    assert action.run_ids == ("2",)
    assert "it might be run 2" in action.detail


@pytest.mark.parametrize(
    ("altered", "verdict"),
    [
        (False, (Decision.CREATE, Reason.MISSING)),
        (True, (Decision.HOLD, Reason.CANDIDATE)),
    ],
)
async def test_a_strangers_finished_backfill_may_be_ours_once_names_do_not_survive(
    rig: Rig, service: Renaming, altered: bool, verdict: tuple[Decision, Reason]
) -> None:
    if altered:
        service.rename = ALTERED["prefixed"]
    await rig.plan_and_apply(a_resource("shown", series=on_root("1")))
    rig.provider.found.append(a_found_run(status=UnitStatus.SUCCESS))
    wanted = a_resource("wanted", series=on_root("2"))
    plan = await rig.plan(wanted)
    assert verdicts(plan, "wanted") == [verdict]
    await rig.apply(plan)
    assert len(rig.provider.executed) == (1 if altered else 2)


async def test_runs_on_record_are_followed_whatever_their_names(
    rig: Rig, service: Renaming
) -> None:
    service.rename = ALTERED["prefixed"]
    wanted = resources(3)
    await rig.plan_and_apply(*wanted)
    service.move(UnitStatus.SUCCESS)
    plan = await rig.plan(*wanted)
    assert {(one.decision, one.reason) for one in plan.actions} == {
        (Decision.NONE, Reason.SUCCEEDED)
    }
    assert len(service.executed) == 3


async def test_where_no_tag_was_ever_read_back_nothing_is_proved_absent(
    rig: Rig, service: Renaming
) -> None:
    """Runs on record show that listings show runs, and nothing of whether names survive."""
    service.rename = ALTERED["prefixed"]
    shown = a_resource("shown", series=on_root("1"))
    lost = a_resource("lost", series=on_root("2"))
    plan = await rig.plan(shown)
    rig.provider.fail("confirm", plan.calls[0].name)
    await rig.apply(plan)
    service.move(UnitStatus.SUCCESS)
    await lose(rig, lost, LOST_BUT_EXECUTED)
    service.move(UnitStatus.SUCCESS)
    plan = await rig.plan(shown, lost)
    assert not plan.calls
    await rig.apply(plan)
    assert len(rig.provider.executed) == 2
