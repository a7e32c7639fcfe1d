"""The small words: addresses, states, diagnostics, canonical text, secrets, the plan's own questions."""

from __future__ import annotations

import dataclasses

import pytest

from reconciler.model import errors
from reconciler.model.addresses import Address, Kind, UnitRange
from reconciler.model.attempts import AttemptState, RecordedState
from reconciler.model.canonical import canonical_json, digest, short_digest
from reconciler.model.codes import Code
from reconciler.model.dates import DateRange
from reconciler.model.diagnostics import Diagnostic, Place, Severity, has_errors, in_order
from reconciler.model.errors import InputError, ProviderError, ReconcilerError
from reconciler.model.plan import Summary
from reconciler.model.project import Project, Secret, StaticCredentials
from reconciler.model.resources import Resource
from reconciler.model.runs import UnitStatus
from reconciler.planning.planner import build_plan
from tests.builders import a_making, a_resource, a_situation


@pytest.mark.parametrize("kind", Kind)
def test_addresses_read_back(kind: Kind) -> None:
    address = Address.of(kind, "orders-2024")
    assert Address.parse(str(address)) == address
    assert address.kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orders",
        "backfill.",
        "Backfill.orders",
        "gate.orders",
        "backfill.Orders",
        "backfill.a.b",
        "backfill.a b",
        "backfill.orders\n",
        "backfill." + "a" * 64,
    ],
)
def test_malformed_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        Address.parse(text)


def test_addresses_are_picked_by_pattern() -> None:
    address = Address.parse("backfill.orders-2024")
    assert address.matches("backfill.orders-*")
    assert address.matches("*")
    assert not address.matches("manualflow.*")
    assert not address.matches("backfill.ORDERS-*")


@pytest.mark.parametrize(
    "text", ["backfill.orders@2024-05-01", "manualflow.close@2024-05-01..2024-05-03"]
)
def test_units_read_back(text: str) -> None:
    assert str(UnitRange.parse(text)) == text


def test_a_unit_needs_a_date() -> None:
    with pytest.raises(ValueError, match=r"names no date; write backfill\.orders@YYYY-MM-DD"):
        UnitRange.parse("backfill.orders")


def test_each_attempt_state_is_open_closed_accepted_or_a_person_s_word() -> None:
    spoken = {AttemptState.SETTLED, AttemptState.REQUESTED, AttemptState.FORGOTTEN}
    for state in AttemptState:
        known = state is AttemptState.ACCEPTED or state in spoken
        assert state.never_ran + state.unresolved + known == 1


def test_only_created_and_running_runs_are_in_flight() -> None:
    assert {status for status in UnitStatus if status.in_flight} == {
        UnitStatus.CREATED,
        UnitStatus.RUNNING,
    }


def test_an_empty_store_has_no_lineage() -> None:
    assert RecordedState() == RecordedState(lineage=None, serial=0, attempts=(), series={})


def test_defaults_of_mappings_are_empty_and_not_shared_for_writing() -> None:
    assert dict(Project(name="p", root=".", file="reconciler.yaml").connections) == {}
    fields = {field.name: field for field in dataclasses.fields(Resource)}
    default = fields["labels"].default_factory
    assert default is not dataclasses.MISSING
    assert default() == {}


def test_equal_values_have_equal_canonical_text() -> None:
    assert canonical_json({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert len(digest({})) == 64
    assert len(short_digest({})) == 16


def test_what_is_no_json_number_has_no_canonical_text() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def a_problem(code: Code, place: Place | None, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(severity=severity, code=code, summary="wrong", hint="mend it", place=place)


def test_problems_come_once_each_by_place_with_placeless_ones_first() -> None:
    first = a_problem("alias", Place("a.yaml", 2, 7))
    second = a_problem("alias", Place("a.yaml", 10, 1))
    third = a_problem("alias", Place("b.yaml", 1, 1))
    whole = a_problem("tag", None)
    assert in_order([third, second, whole, first, second]) == (whole, first, second, third)
    assert str(second.place) == "a.yaml:10:1"


def test_warnings_stop_nothing() -> None:
    warning = a_problem("alias", None, Severity.WARNING)
    assert not has_errors([warning])
    assert has_errors([warning, a_problem("anchor", None)])


def test_input_errors_count_their_problems() -> None:
    one = InputError([a_problem("alias", None)])
    assert str(one) == "1 problem in the input"
    two = InputError([a_problem("anchor", None), a_problem("alias", None)])
    assert str(two) == "2 problems in the input"
    assert [item.code for item in two.diagnostics] == ["alias", "anchor"]


def test_every_error_has_a_code_of_its_own() -> None:
    classes = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, ReconcilerError)
    ]
    leaves = [
        one for one in classes if not one.__subclasses__() and not issubclass(one, InputError)
    ]
    assert len({one.code for one in leaves}) == len(leaves)
    assert all(f" {one.__name__}" in (errors.__doc__ or "") for one in classes)


def test_provider_errors_say_which_call_failed() -> None:
    error = ProviderError("no answer", provider="dataworks", operation="GetDag", hint="try again")
    assert (str(error), error.operation, error.status, error.hint) == (
        "no answer",
        "GetDag",
        None,
        "try again",
    )


def test_secrets_are_not_printed() -> None:
    secret = Secret("hunter2")
    keys = StaticCredentials(access_key_id=Secret("id-hunter2"), access_key_secret=secret)
    assert "hunter2" not in f"{secret} {secret!r} {keys!r}"
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize(
    ("summary", "starts", "changes", "person"),
    [
        (Summary(none=5, wait=1, released=2), 0, False, False),
        (Summary(create=2, rerun=1, blocked=4), 7, True, False),
        (Summary(adopt=1), 0, True, False),
        (Summary(blocked=1), 1, False, False),
        (Summary(hold=1), 0, False, True),
        (Summary(unknown=1), 0, False, True),
    ],
)
def test_a_plan_answers_from_its_summary(
    summary: Summary, starts: int, changes: bool, person: bool
) -> None:
    plan = build_plan(a_situation(a_resource()), a_making())
    plan = dataclasses.replace(plan, summary=summary)
    assert (plan.starts, plan.changes_anything, plan.needs_person) == (starts, changes, person)


def test_ranges_of_one_day_print_as_a_date() -> None:
    assert str(DateRange.parse("2024-05-01..2024-05-01")) == "2024-05-01"
