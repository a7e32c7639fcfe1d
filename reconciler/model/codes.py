"""The code of everything that can go wrong, as people look it up and scripts compare it.

One closed list, so that a typo in a code does not pass the type checker. `docs/errors.md` says of each
what it means and what to do; a test holds the page and this list to each other, and each example there to
the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

#: Reading YAML: what the bytes of a file hold.
ReadingCode = Literal[
    "alias",
    "anchor",
    "directive",
    "duplicate_key",
    "encoding",
    "file_too_large",
    "invisible_character",
    "key",
    "merge_key",
    "tag",
    "too_deep",
    "too_many_nodes",
    "yaml_syntax",
]

#: Finding the files of a project.
FileCode = Literal[
    "file_name",
    "many_problems",
    "no_project",
    "no_specs",
    "not_a_file",
    "path",
    "project_too_large",
    "symbolic_link",
    "unreadable",
]

#: The shape of a document, whatever its kind.
ShapeCode = Literal[
    "malformed",
    "missing_key",
    "out_of_bounds",
    "unknown_key",
    "unknown_kind",
    "unknown_value",
    "wrong_type",
]

#: What one spec asks for.
SpecCode = Literal[
    "connection_lacks",
    "date",
    "date_not_complete",
    "dates_form",
    "earliest_date",
    "environment",
    "hours",
    "missing_annotation",
    "no_dates",
    "nodes",
    "not_carried",
    "not_on_dataarts",
    "not_on_dataworks",
    "one_condition",
    "params_unused",
    "rerun_not_desired",
    "reserved",
    "rrule",
    "timezone",
    "unknown_connection",
    "wrong_provider",
]

#: What several specs ask for together.
AcrossCode = Literal[
    "circle",
    "conflict",
    "date_not_wanted",
    "duplicate_name",
    "unknown_gate",
    "unknown_resource",
]

#: The project file.
ProjectCode = Literal[
    "empty",
    "endpoint",
    "freeze",
    "missing_variable",
    "moment",
    "one_document",
    "state",
    "unknown_timezone",
]

#: Planning, and what the project's policy allows.
PlanningCode = Literal[
    "declined",
    "foreign_finished",
    "forgotten_soon",
    "freeze_ahead",
    "gate_unreadable",
    "listing_incomplete",
    "no_record",
    "not_listed",
    "overlap",
    "over_budget",
    "policy_max_calls",
    "policy_max_dates",
    "schedule_in_flight",
    "unknown_target",
]

#: Why a service was not read, or a stop not carried out.
ProviderCode = Literal[
    "forbidden",
    "invalid_request",
    "not_asked",
    "not_found",
    "rate_limited",
    "unauthenticated",
    "unavailable",
    "unexpected_response",
]

#: The same, of the runs or gates that a plan needs to know.
UnreadCode = Literal[
    "read_forbidden",
    "read_invalid_request",
    "read_not_asked",
    "read_not_found",
    "read_rate_limited",
    "read_unauthenticated",
    "read_unavailable",
    "read_unexpected_response",
]

#: Plan files, and other files that a command writes.
PlanFileCode = Literal[
    "not_a_plan",
    "not_overwritten",
    "not_written",
    "plan_edited",
    "plan_expired",
    "plan_foreign",
    "unsupported_format",
]

#: The state store and its lock.
StateCode = Literal[
    "fence_lost",
    "journal_broken",
    "lock_held",
    "no_such_lock",
    "outcome_unrecorded",
    "state_damaged",
    "state_missing",
    "state_moved",
    "state_not_upgraded",
    "state_unavailable",
    "state_unsafe",
    "units_taken",
]

#: What a person decides by hand.
DecisionCode = Literal[
    "in_flight",
    "needs_nobody",
    "not_listed_yet",
    "not_on_record",
    "nothing_in_flight",
    "on_record",
    "other_call",
    "other_dates",
    "other_series",
    "ran",
    "still_valid",
    "succeeded",
    "unknown_address",
    "unknown_outcome",
    "unknown_run",
    "unknown_unit",
]

#: The simulator: worlds, faults, serving.
SimulatorCode = Literal[
    "bad_fault",
    "cannot_serve",
    "demo_failed",
    "impossible_world",
    "no_date",
    "second_document",
]

#: What stops the program itself.
ProgramCode = Literal["bug", "os_error", "usage"]

Code = (
    ReadingCode
    | FileCode
    | ShapeCode
    | SpecCode
    | AcrossCode
    | ProjectCode
    | PlanningCode
    | ProviderCode
    | UnreadCode
    | PlanFileCode
    | StateCode
    | DecisionCode
    | SimulatorCode
    | ProgramCode
)

#: What is said of runs or a gate that a plan needs to know where a read failed.
UNREAD: Mapping[ProviderCode, UnreadCode] = MappingProxyType(
    {
        "forbidden": "read_forbidden",
        "invalid_request": "read_invalid_request",
        "not_asked": "read_not_asked",
        "not_found": "read_not_found",
        "rate_limited": "read_rate_limited",
        "unauthenticated": "read_unauthenticated",
        "unavailable": "read_unavailable",
        "unexpected_response": "read_unexpected_response",
    }
)
