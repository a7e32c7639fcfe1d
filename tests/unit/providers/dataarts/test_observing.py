"""How far runs are, told from PatchData and instances; and what must not be concluded."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reconciler.model.attempts import Attempt, UnitRecord
from reconciler.model.dates import DateSet
from reconciler.model.errors import UnexpectedResponse
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Observation, UnitStatus
from reconciler.model.series import Series
from tests.unit.providers.dataarts.support import (
    INSTANCES,
    LIST,
    SERIES,
    Reply,
    Service,
    a_name,
    a_patch,
    a_provider,
    a_series,
    an_attempt,
    an_instance,
    instances,
    patches,
)
from tests.unit.providers.dataworks.support import NOW

pytestmark = pytest.mark.anyio

NAME = a_name()
Rows = Sequence[Mapping[str, Any]]


def a_service(patched: Rows, rows: Rows = ()) -> Service:
    service = Service()
    service.on(LIST, patches(patched))
    service.on(INSTANCES, instances(rows))
    return service


async def observe(service: Service, attempt: Attempt, series: Series = SERIES) -> Observation:
    async with a_provider(service) as provider:
        (seen,) = await provider.observe([attempt], {series.fingerprint: series})
    return seen


def shown(seen: Observation) -> dict[str, str]:
    return {str(dates): status.value for dates, status in seen.coverage}


def on_record(dates: str, status: UnitStatus) -> RangeMap[UnitRecord]:
    return RangeMap.constant(DateSet.parse([dates]), UnitRecord(status))


async def test_a_success_as_a_whole_is_one_on_all_dates_whatever_instances_are_shown() -> None:
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-28", "SUCCESS")])
    seen = await observe(service, an_attempt("2024-05-01..2024-05-28"))
    assert shown(seen) == {"2024-05-01..2024-05-28": "success"}
    assert (seen.name, seen.run_ids, seen.gone) == (NAME, (NAME,), False)
    assert service.operations() == [LIST, INSTANCES]


async def test_a_success_as_a_whole_is_none_on_dates_whose_instances_say_otherwise() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "fail"),
        an_instance(3, "2024-05-03T09:00", "skip"),
        an_instance(4, "2024-05-04T09:00", "running"),
    ]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-05", "SUCCESS")], rows)
    assert shown(await observe(service, an_attempt("2024-05-01..2024-05-05"))) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "hollow",
        "2024-05-04..2024-05-05": "success",
    }


async def test_instances_that_may_be_anothers_say_nothing_against_a_success() -> None:
    rows = [an_instance(1, "2024-05-01T09:00", "fail", submitted="2024-05-20T10:01")]
    later = a_patch("later", "2024-05-01", "2024-05-01", "FAIL", submitted="2024-05-20T10:00")
    mine = a_patch(NAME, "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-20T09:00")
    service = a_service([later, mine], rows)
    assert shown(await observe(service, an_attempt("2024-05-01"))) == {"2024-05-01": "success"}


async def test_a_serial_run_is_followed_date_by_date() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "running"),
    ]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-04", "RUNNING")], rows)
    seen = await observe(service, an_attempt("2024-05-01..2024-05-04"))
    assert shown(seen) == {
        "2024-05-01": "success",
        "2024-05-02": "running",
        "2024-05-03..2024-05-04": "created",
    }
    (asked,) = service.asked(INSTANCES)
    assert (asked["instance_type"], asked["limit"], asked["job"]) == ("5", "1000", "daily_sales")


async def test_data_dates_lie_a_day_before_plan_days_where_the_series_says_so() -> None:
    series = a_series(offset=1)
    name = a_name(series)
    rows = [
        an_instance(1, "2024-05-02T00:00", "success"),
        an_instance(2, "2024-05-03T00:00", "fail"),
    ]
    service = a_service([a_patch(name, "2024-05-02", "2024-05-03", "FAIL")], rows)
    attempt = an_attempt("2024-05-01..2024-05-02", series=series)
    assert shown(await observe(service, attempt, series)) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
    }


async def test_a_failure_leaves_later_dates_of_a_serial_run_not_run() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "fail"),
    ]
    for word in ("FAIL", "FAILED", "CANCEL"):
        service = a_service([a_patch(NAME, "2024-05-01", "2024-05-04", word)], rows)
        seen = await observe(service, an_attempt("2024-05-01..2024-05-04"))
        assert shown(seen) == {
            "2024-05-01": "success",
            "2024-05-02": "failure",
            "2024-05-03..2024-05-04": "not_run",
        }


async def test_instances_that_wait_in_a_run_that_has_ended_never_ran() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "fail"),
        an_instance(3, "2024-05-03T09:00", "waiting"),
    ]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-03", "FAIL")], rows)
    assert shown(await observe(service, an_attempt("2024-05-01..2024-05-03"))) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "not_run",
    }
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-03", "RUNNING")], rows)
    assert shown(await observe(service, an_attempt("2024-05-01..2024-05-03"))) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "created",
    }


@pytest.mark.parametrize(("last_day", "status"), [(2, UnitStatus.SUCCESS), (1, None)])
async def test_the_last_day_of_a_cancelled_run_is_done_if_it_has_as_many_instances_as_the_others(
    last_day: int, status: UnitStatus | None
) -> None:
    rows = [
        an_instance(10 * day + hour, f"2024-05-0{day}T0{hour}:00", "success")
        for day, hours in ((1, 2), (2, last_day))
        for hour in range(hours)
    ]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-02", "CANCEL")], rows)
    # That the first day is on record does not keep it from being compared.
    known = on_record("2024-05-01", UnitStatus.SUCCESS).overlaid(
        on_record("2024-05-02", UnitStatus.RUNNING)
    )
    seen = await observe(service, an_attempt("2024-05-01..2024-05-02", coverage=known))
    assert seen.coverage.at(dt.date(2024, 5, 1)) is UnitStatus.SUCCESS
    assert seen.coverage.at(dt.date(2024, 5, 2)) is status


async def test_a_date_repaired_by_hand_is_a_success_and_those_behind_it_stay_not_run() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "success", force_success=True),
    ]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-03", "FAIL")], rows)
    known = on_record("2024-05-01", UnitStatus.SUCCESS).overlaid(
        on_record("2024-05-03", UnitStatus.NOT_RUN)
    )
    seen = await observe(service, an_attempt("2024-05-01..2024-05-03", coverage=known))
    assert shown(seen) == {"2024-05-01..2024-05-02": "success", "2024-05-03": "not_run"}


async def test_the_repaired_hours_of_a_run_that_stopped_there_are_not_the_day() -> None:
    rows = [
        *(an_instance(hour + 1, f"2024-05-01T{hour:02}:00", "success") for hour in range(24)),
        an_instance(30, "2024-05-02T00:00", "success"),  # it failed, and 23 more never began
    ]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-03", "FAIL")], rows)
    known = on_record("2024-05-02", UnitStatus.FAILURE)
    seen = await observe(service, an_attempt("2024-05-01..2024-05-03", coverage=known))
    assert "2024-05-02" not in shown(seen)
    assert shown(seen)["2024-05-01"] == "success"


async def test_a_run_of_one_date_that_failed_is_not_believed_to_be_whole_once_repaired() -> None:
    rows = [an_instance(2, "2024-05-02T09:00", "success")]
    service = a_service([a_patch(NAME, "2024-05-02", "2024-05-02", "FAIL")], rows)
    known = on_record("2024-05-02", UnitStatus.FAILURE)
    assert shown(await observe(service, an_attempt("2024-05-02", coverage=known))) == {}


@pytest.mark.parametrize("word", ["FAIL", "CANCEL"])
async def test_successes_on_record_stay_when_their_instances_are_forgotten(word: str) -> None:
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-03", word)])
    known = on_record("2024-05-01..2024-05-02", UnitStatus.SUCCESS)
    seen = await observe(service, an_attempt("2024-05-01..2024-05-03", coverage=known))
    assert "success" not in shown(seen).values()
    assert not seen.coverage.dates & DateSet.parse(["2024-05-01..2024-05-02"])


async def test_without_instances_a_cancelled_run_failed() -> None:
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-02", "CANCLE", parallel=2)])
    seen = await observe(service, an_attempt("2024-05-01..2024-05-02", serial=False))
    assert shown(seen) == {"2024-05-01..2024-05-02": "failure"}


async def test_an_unknown_word_is_no_end() -> None:
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "DREAMING")])
    assert shown(await observe(service, an_attempt("2024-05-01"))) == {"2024-05-01": "created"}
    rows = [an_instance(1, "2024-05-01T09:00", "dreaming")]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "FAIL")], rows)
    assert shown(await observe(service, an_attempt("2024-05-01"))) == {"2024-05-01": "running"}


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["success", "success"], "success"),
        (["success", "fail"], "failure"),
        (["running", "fail"], "running"),
        (["Success", "MANUAL-STOP"], "failure"),
        (["success", "pause"], "running"),
        (["success", "freeze"], "running"),
        (["success", "waiting-confirm"], "running"),
        (["success", "running-exception"], "running"),
        (["success", "skip-by-depend"], "hollow"),
        (["forceSuccess", "ignoreSuccess"], "success"),
    ],
)
async def test_several_instances_on_a_day(words: list[str], status: str) -> None:
    rows = [
        an_instance(number, f"2024-05-01T0{number}:00", word)
        for number, word in enumerate(words, 1)
    ]
    rows.append(an_instance(9, "2024-05-02T00:00", "running"))
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-02", "RUNNING")], rows)
    seen = await observe(service, an_attempt("2024-05-01..2024-05-02"))
    assert seen.coverage.at(dt.date(2024, 5, 1)) is UnitStatus(status)


async def test_the_first_hours_of_an_hourly_job_are_not_the_day() -> None:
    rows = [
        an_instance(1, "2024-05-01T00:00", "success"),
        an_instance(2, "2024-05-01T01:00", "success"),
    ]
    running = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "RUNNING")], rows)
    assert shown(await observe(running, an_attempt("2024-05-01"))) == {"2024-05-01": "running"}
    # Cancelled after them, nobody can tell whether more were to come.
    stopped = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "CANCEL")], rows)
    seen = await observe(
        stopped, an_attempt("2024-05-01", coverage=on_record("2024-05-01", UnitStatus.RUNNING))
    )
    assert shown(seen) == {}


async def test_what_cannot_be_told_of_a_listed_run_is_taken_to_run() -> None:
    rows = [an_instance(1, "2024-05-01T00:00", "success")]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "CANCEL")], rows)
    assert shown(await observe(service, an_attempt("2024-05-01"))) == {"2024-05-01": "running"}
    # Nor is a date absent that the run does not seem to have.
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "SUCCESS")])
    assert shown(await observe(service, an_attempt("2024-05-01..2024-05-02"))) == {
        "2024-05-01": "success",
        "2024-05-02": "running",
    }


async def test_instances_of_earlier_and_later_runs_are_not_ours() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success", submitted="2024-05-19T10:01"),
        an_instance(2, "2024-05-01T09:00", "fail", submitted="2024-05-20T10:01"),
        an_instance(3, "2024-05-01T09:00", "success", submitted="2024-05-21T10:01"),
    ]
    listed = [
        a_patch("before", "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-19T10:00"),
        a_patch(NAME, "2024-05-01", "2024-05-01", "FAIL"),
        a_patch("after", "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-21T10:00"),
    ]
    service = a_service(listed, rows)
    assert shown(await observe(service, an_attempt("2024-05-01"))) == {"2024-05-01": "failure"}


async def test_an_instance_after_the_next_run_was_submitted_may_be_of_either() -> None:
    rows = [an_instance(3, "2024-05-01T09:00", "success", submitted="2024-05-21T10:01")]
    later = a_patch("after", "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-21T10:00")
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "FAIL"), later], rows)
    attempt = an_attempt("2024-05-01", coverage=on_record("2024-05-01", UnitStatus.CREATED))
    assert shown(await observe(service, attempt)) == {}


@pytest.mark.parametrize(
    "word",
    ["RUNNING", "SUCCESS"],  # still there; or its instance must have come after ours was submitted
)
async def test_an_earlier_run_may_have_come_to_the_day_late(word: str) -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "running"),
    ]
    earlier = a_patch("early", "2024-05-01", "2024-05-01", word, submitted="2024-05-19T10:00")
    service = a_service([earlier, a_patch(NAME, "2024-05-01", "2024-05-02", "RUNNING")], rows)
    seen = await observe(service, an_attempt("2024-05-01..2024-05-02"))
    assert shown(seen) == {"2024-05-01..2024-05-02": "running"}


async def test_other_jobs_and_other_days_do_not_matter() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "running"),
    ]
    beside = [
        a_patch("x", "2024-05-01", "2024-05-09", "RUNNING", submitted="2024-05-19T10:00")
        | {"job_list": ["other"]},
        a_patch("y", "2024-05-03", "2024-05-09", "RUNNING", submitted="2024-05-19T10:00"),
    ]
    service = a_service([*beside, a_patch(NAME, "2024-05-01", "2024-05-02", "RUNNING")], rows)
    seen = await observe(service, an_attempt("2024-05-01..2024-05-02"))
    assert shown(seen) == {"2024-05-01": "success", "2024-05-02": "running"}


async def test_a_name_that_only_contains_ours_is_not_ours() -> None:
    service = a_service([a_patch(f"{NAME}x", "2024-05-01", "2024-05-01", "SUCCESS")])
    seen = await observe(service, an_attempt("2024-05-01"))
    assert (shown(seen), seen.gone, seen.name) == ({}, False, None)


async def test_a_filter_that_does_not_find_a_run_is_not_believed() -> None:
    newer = [
        a_patch(f"n{number}", "2024-01-01", "2024-01-01", "SUCCESS", submitted="2024-05-29T10:00")
        for number in range(120)
    ]
    every = patches([*newer, a_patch(NAME, "2024-05-01", "2024-05-01", "SUCCESS")])
    service = Service()
    service.on(LIST, lambda asked: every({**asked, "name": "x" if "name" in asked else ""}))
    service.on(INSTANCES, instances([]))
    seen = an_attempt("2024-05-01", coverage=on_record("2024-05-01", UnitStatus.RUNNING))
    assert shown(await observe(service, seen)) == {"2024-05-01": "success"}
    # One that may still be created is not searched for in all pages.
    service.calls.clear()
    young = dataclasses.replace(
        an_attempt("2024-05-01"), valid_until=NOW + dt.timedelta(minutes=16)
    )
    assert not (await observe(service, young)).coverage
    assert len(service.calls) == 2


async def test_a_listing_that_shows_what_was_just_not_found_proves_nothing() -> None:
    states = [[], [], [], [a_patch(NAME, "2024-05-01", "2024-05-01", "RUNNING")]]
    service = a_service([])

    def now(asked: dict[str, str]) -> Reply:
        return patches(states.pop(0) if len(states) > 1 else states[0])(asked)

    service.on(LIST, now)
    attempt, day = an_attempt("2024-05-01"), DateSet.parse(["2024-05-01"])
    past = dataclasses.replace(attempt, signed_at=NOW - dt.timedelta(hours=1))
    async with a_provider(service) as provider:
        (seen,) = await provider.observe([past], {SERIES.fingerprint: SERIES})
        listed = await provider.discover(SERIES, day, known_runs={NAME: day})
        assert (shown(seen), seen.gone, listed.complete) == ({}, False, False)
        (seen,) = await provider.observe([past], {SERIES.fingerprint: SERIES})
        listed = await provider.discover(SERIES, day, known_runs={NAME: day})
        assert (shown(seen), listed.complete) == ({"2024-05-01": "created"}, True)


async def test_only_what_was_seen_before_can_be_gone() -> None:
    fresh = await observe(a_service([]), an_attempt("2024-05-01"))
    assert (shown(fresh), fresh.gone) == ({}, False)
    seen = an_attempt("2024-05-01", coverage=on_record("2024-05-01", UnitStatus.RUNNING))
    assert (await observe(a_service([]), seen)).gone


async def test_a_listing_that_does_not_add_up_says_nothing_of_what_it_lacks() -> None:
    service = Service()
    service.on(LIST, {"success": True, "total": 7, "rows": []})
    seen = an_attempt("2024-05-01", coverage=on_record("2024-05-01", UnitStatus.RUNNING))
    with pytest.raises(UnexpectedResponse):
        await observe(service, seen)


async def test_an_attempt_without_a_run_is_not_asked_for() -> None:
    service = a_service([])
    assert not (await observe(service, an_attempt("2024-05-01", run_ids=()))).coverage
    assert not service.calls


async def test_what_is_older_than_a_page_is_found_by_its_name_beside_what_came_later() -> None:
    newer = [
        a_patch(f"n{number}", "2024-01-01", "2024-01-01", "SUCCESS", submitted="2024-05-29T10:00")
        for number in range(120)
    ]
    later = a_patch("later", "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-21T10:00")
    rows = [an_instance(3, "2024-05-01T09:00", "success", submitted="2024-05-21T10:01")]
    old = a_patch(NAME, "2024-05-01", "2024-05-01", "FAIL")
    service = a_service([*newer, later, old], rows)
    attempt = an_attempt("2024-05-01", coverage=on_record("2024-05-01", UnitStatus.FAILURE))
    assert shown(await observe(service, attempt)) == {}
    pages = [(asked["page"], asked.get("name")) for asked in service.asked(LIST)]
    assert pages == [("0", None), ("0", NAME), ("0", None), ("1", None)]


async def test_successes_on_record_are_not_read_again() -> None:
    rows = [an_instance(9, "2024-06-30T09:00", "running")]
    service = a_service([a_patch(NAME, "2024-01-01", "2024-07-31", "RUNNING")], rows)
    attempt = an_attempt(
        "2024-01-01..2024-07-31", coverage=on_record("2024-01-01..2024-06-29", UnitStatus.SUCCESS)
    )
    seen = await observe(service, attempt)
    assert shown(seen) == {"2024-06-30": "running", "2024-07-01..2024-07-31": "created"}
    assert len(service.asked(INSTANCES)) == 2


async def test_a_wide_run_is_read_by_windows_of_four_weeks_and_pages() -> None:
    rows = [
        an_instance(24 * day + hour, f"2024-05-{day:02}T{hour:02}:00", "success")
        for day in range(1, 32)
        for hour in range(24)
    ] + [an_instance(10_000 + number, "2024-05-01T00:00", "success") for number in range(1100)]
    patch = a_patch(NAME, "2024-05-01", "2024-05-31", "FAIL", parallel=2)
    seen = await observe(service := a_service([patch], rows), an_attempt("2024-05-01..2024-05-31"))
    assert shown(seen) == {"2024-05-01..2024-05-31": "success"}
    asked = [(one["min_plan_time"], one["offset"]) for one in service.asked(INSTANCES)]
    assert len(asked) == 3
    assert len({first for first, _ in asked}) == 2


async def test_several_attempts_share_a_page() -> None:
    names = [a_name(call_id=f"aaaaa{letter}") for letter in "abc"]
    service = a_service([a_patch(name, "2024-05-01", "2024-05-01", "SUCCESS") for name in names])
    attempts = [an_attempt("2024-05-01", name=name) for name in names]
    async with a_provider(service) as provider:
        seen = await provider.observe(attempts, {SERIES.fingerprint: SERIES})
    assert [one.name for one in seen] == names
    assert service.operations().count(LIST) == 1


@pytest.mark.parametrize(
    ("word", "statuses"),
    [("SUCCESS", {}), ("RUNNING", {"2024-05-01": "created"}), ("FAIL", {})],
)
async def test_a_confirmed_run_is_read_back_by_its_name(
    word: str, statuses: dict[str, str]
) -> None:
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", word)])
    async with a_provider(service) as provider:
        seen = await provider.confirm(an_attempt("2024-05-01"))
    assert (seen.name, shown(seen)) == (NAME, statuses)
    assert [asked["name"] for asked in service.asked(LIST)] == [NAME]


async def test_a_run_that_is_not_listed_yet_is_neither_gone_nor_confirmed() -> None:
    async with a_provider(a_service([])) as provider:
        seen = await provider.confirm(an_attempt("2024-05-01"))
    assert (seen.name, seen.gone, shown(seen)) == (None, False, {})
