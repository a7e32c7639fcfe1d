"""Every quirk of the service's answers that is on record, and garbage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reconciler.model.runs import UnitStatus
from reconciler.providers.dataworks.vocabulary import (
    DagType,
    InstanceStatus,
    TaskType,
    parse_member,
)
from reconciler.providers.dataworks.wire_answers import (
    read_dags,
    read_instance,
    read_manual_rows,
    read_optional_dag,
    read_page,
)
from reconciler.providers.json_fields import BadAnswer, Fields, parse_object
from tests.unit.providers.dataworks.support import a_dag, a_row, ok

ZONE = ZoneInfo("Asia/Shanghai")


def fields(raw: Any) -> Fields:
    return Fields.of(raw, "answer")


def row(**changes: Any) -> dict[str, Any]:
    return a_row(5, 1, "2020-05-20", "SUCCESS", **changes)


def test_dags_as_a_list() -> None:
    dags = [a_dag(1, "2020-05-20", "SUCCESS", "n"), a_dag(2, "2020-05-21", "RUNNING", "n")]
    found = read_dags(fields(ok({"Dags": dags})), ZONE)
    assert [(dag.id, dag.group, dag.status) for dag in found] == [
        ("1", "77", UnitStatus.SUCCESS),
        ("2", "77", UnitStatus.RUNNING),
    ]


def test_dags_as_one_object_of_the_vendors_sample() -> None:
    sample = {
        "Status": "SUCCESS",
        "Type": "MANUAL_FLOW",
        "FinishTime": 1590422400000,
        "DagId": 123,
        "Name": "xm_create_test",
        "Bizdate": 1590336000000,
        "ProjectId": 123,
        "OpSeq": 123,
        "CreateUser": "1234",
        "Gmtdate": 1590422400000,
        "ModifyTime": 1590422400000,
    }
    (dag,) = read_dags(fields({"data": {"dags": sample}}), ZONE)
    assert (dag.id, dag.name, dag.date) == ("123", "xm_create_test", dt.date(2020, 5, 25))


def test_no_dags_is_an_answer_and_no_field_is_not() -> None:
    assert read_dags(fields(ok({"Dags": []})), ZONE) == ()
    with pytest.raises(BadAnswer):
        read_dags(fields(ok({})), ZONE)


@pytest.mark.parametrize("data", [None, {}])
def test_get_dag_may_succeed_without_a_dag(data: Any) -> None:
    assert read_optional_dag(fields(ok(data)), ZONE) is None


@pytest.mark.parametrize(
    "change",
    [
        {"Status": "STOPPED"},
        {"Status": None},
        {"DagId": None},
        {"DagId": "x"},
        {"DagId": -1},
        {"Bizdate": None},
        {"Bizdate": 0},
        {"Bizdate": "2020-05-20"},
        {"Bizdate": "2020-13-20 00:00:00"},
        {"Bizdate": 10**17},
        {"Name": ["n"]},
        {"OpSeq": True},
    ],
)
def test_a_dag_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        read_optional_dag(fields(ok({**a_dag(1, "2020-05-20", "SUCCESS", "n"), **change})), ZONE)


@pytest.mark.parametrize(
    ("value", "zone", "date"),
    [
        (1559318400000, "Asia/Shanghai", "2019-06-01"),
        ("1559318400000", "Asia/Shanghai", "2019-06-01"),
        ("2018-12-12 00:00:00", "Asia/Shanghai", "2018-12-12"),
        # Daylight saving: Berlin's midnight lies at 22:00 UTC in summer and at 23:00 in winter.
        (1593554400000, "Europe/Berlin", "2020-07-01"),
        (1577833200000, "Europe/Berlin", "2020-01-01"),
        (1585436400000, "Europe/Berlin", "2020-03-29"),
        (1603576800000, "Europe/Berlin", "2020-10-25"),
        # A day without midnight: Beirut's clocks went from 00:00 to 01:00 local time.
        (1585432800000, "Asia/Beirut", "2020-03-29"),
        ("2020-03-29 00:00:00", "Asia/Beirut", "2020-03-29"),
        (1577865600000, "America/Los_Angeles", "2020-01-01"),
    ],
)
def test_bizdate_is_a_civil_date_of_the_zone(value: Any, zone: str, date: str) -> None:
    found = read_instance(fields(row(Bizdate=value)), ZoneInfo(zone))
    assert found.date == dt.date.fromisoformat(date)


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_bizdate_in_the_services_own_zone_is_no_other_date(zone: str) -> None:
    found = read_instance(fields(row(Bizdate=1559318400000)), ZoneInfo(zone))
    assert found.date == dt.date(2019, 6, 1)


def test_bizdate_that_is_no_midnight_is_an_error_and_not_rounded() -> None:
    with pytest.raises(BadAnswer, match="set the connection's timezone"):
        read_instance(fields(row(Bizdate=1559318400000 + 3_600_000)), ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize("name", ["Bizdate", "BizDate", "bizdate", "bizDate"])
def test_spellings_of_the_business_date(name: str) -> None:
    raw = row()
    raw[name] = raw.pop("Bizdate")
    assert read_instance(fields(raw), ZONE).date == dt.date(2020, 5, 20)


def test_lower_camel_rows() -> None:
    raw = {key[0].lower() + key[1:]: value for key, value in row().items()}
    assert read_instance(fields(raw), ZONE) == read_instance(fields(row()), ZONE)


def test_a_row_of_2018_in_the_vendors_sample() -> None:
    sample = {
        "bizdate": "1564019679966",
        "beginRunningTime": "1564019679966",
        "createTime": "1564019679966",
        "dagId": 338450167,
        "dagType": 5,
        "instanceId": 11713307578,
        "nodeName": "test_node",
        "paraValue": "kzh=kzh",
        "status": 1,
    }
    (found,) = read_manual_rows(fields({"data": [sample], "errCode": "0", "success": True}), ZONE)
    assert found.id == "11713307578"
    assert found.status is InstanceStatus.NOT_RUN
    assert found.dag_type is DagType.BUSINESS_PROCESS_DAG
    assert found.node_id is None


@pytest.mark.parametrize(
    "data",
    [{"NodeInsInfo": [row(Status=6)]}, {"NodeInsInfo": row(Status=6)}, [row(Status="SUCCESS")]],
)
def test_shapes_of_a_manual_runs_rows(data: Any) -> None:
    (found,) = read_manual_rows(fields(ok(data)), ZONE)
    assert found.status is InstanceStatus.SUCCESS


@pytest.mark.parametrize("data", [{}, {"NodeInsInfo": []}, {"NodeInsInfo": None}, []])
def test_a_manual_run_may_have_no_rows_yet(data: Any) -> None:
    assert read_manual_rows(fields(ok(data)), ZONE) == ()


@pytest.mark.parametrize("data", [None, "x", {"Rows": []}, [1], {"NodeInsInfo": "x"}])
def test_manual_rows_that_do_not_fit_are_refused(data: Any) -> None:
    with pytest.raises(BadAnswer):
        read_manual_rows(fields(ok(data)), ZONE)


@pytest.mark.parametrize(
    ("vocabulary", "value", "member"),
    [
        (TaskType, "NORMAL(0)", TaskType.NORMAL),
        (TaskType, "SKIP_UNCHOOSE(4)", TaskType.SKIP_UNCHOOSE),
        (TaskType, "skip", TaskType.SKIP),
        (TaskType, " SKIP ( 3 ) ", TaskType.SKIP),
        (TaskType, 3, TaskType.SKIP),
        (TaskType, "3", TaskType.SKIP),
        (TaskType, "(3)", TaskType.SKIP),
        (TaskType, 99, None),
        (TaskType, "NEW_ONE(3)", None),
        (TaskType, True, None),
        (TaskType, None, None),
        (TaskType, "", None),
        (TaskType, 3.0, None),
        (DagType, "SUPPLY_DATA", DagType.SUPPLY_DATA),
        (InstanceStatus, 9, InstanceStatus.WAIT_TRIGGER),
        (InstanceStatus, "6", InstanceStatus.SUCCESS),
    ],
)
def test_members_as_names_numbers_or_both(vocabulary: Any, value: Any, member: Any) -> None:
    assert parse_member(vocabulary, value) is member


def test_times_of_zero_mean_not_yet() -> None:
    assert read_instance(fields(row(CreateTime=0)), ZONE).created_at is None


def test_ids_keep_all_their_digits() -> None:
    assert read_instance(fields(row(DagId=9007199254740993)), ZONE).dag_id == "9007199254740993"


def test_a_page_counts_all_rows() -> None:
    page = read_page(fields(ok({"TotalCount": "250", "Instances": [row()]})), ZONE)
    assert (page.total, len(page.rows)) == (250, 1)


@pytest.mark.parametrize("data", [{}, {"Instances": []}, {"TotalCount": -1}, {"TotalCount": "x"}])
def test_a_page_without_a_count_is_refused(data: Any) -> None:
    with pytest.raises(BadAnswer):
        read_page(fields(ok(data)), ZONE)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (Fields.text, {"X": ["a"]}),
        (Fields.text, {"X": True}),
        (Fields.integer, {"X": 1.5}),
        (Fields.integer, {"X": "1e3"}),
        (Fields.flag, {"X": "yes"}),
        (Fields.flag, {"X": 1}),
        (Fields.objects, {"X": [1]}),
    ],
)
def test_fields_of_the_wrong_type_are_refused(
    read: Callable[[Fields, str], object], value: dict[str, Any]
) -> None:
    with pytest.raises(BadAnswer, match=r"answer\.X"):
        read(fields(value), "X")


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"{" * 99_999, b'"x"', b"null"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_object(body, "GetDag")


@pytest.mark.parametrize("placeholder", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", 0, "0", ""])
def test_placeholders_of_times_mean_not_yet(placeholder: Any) -> None:
    zone = ZoneInfo("America/Los_Angeles")
    assert read_instance(fields(row(CreateTime=placeholder)), zone).created_at is None


def test_half_characters_do_not_get_through() -> None:
    body = parse_object(b'{"X": "a\\ud800b"}', "GetDag")
    assert body.text("X") == "a?b"
