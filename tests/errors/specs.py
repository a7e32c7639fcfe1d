"""Specs and project files in which something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.model.codes import Code
from reconciler.model.errors import InputError
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.specs import load_project, load_specs
from tests.errors.scenes import Scene, Told, scene
from tests.unit.specs.spec_files import NOW, PROJECT, backfill, gate, manual_flow, write

_SPECS: Mapping[Code, str] = {
    # Reading YAML.
    "alias": backfill("orders", dates="*may"),
    "anchor": backfill("orders", dates="&may {list: [2020-05-20]}"),
    "directive": "%YAML 1.2\n---\n" + backfill("orders"),
    "duplicate_key": backfill("orders", params="{1234: {rate: old, rate: new}}"),
    "invisible_character": backfill("orders", params=r'{1234: {key: "a\u200Bb"}}'),
    "key": backfill("orders", params="{[1, 2]: {key: value}}"),
    "merge_key": backfill("orders", params="{1234: {<<: {key: value}}}"),
    "tag": backfill("orders", dates="!range {list: [2020-05-20]}"),
    "too_deep": backfill("orders", dates="[" * 21 + "]" * 21),
    "yaml_syntax": backfill("orders", dates="{list: [2020-05-20}"),
    # The shape of a document.
    "malformed": backfill("orders", dates="{start: 2020-05-20, end: 2020-5-31}"),
    "missing_key": backfill("orders", target="{includeNodes: [1234]}"),
    "out_of_bounds": backfill("orders", maxAttempts="0"),
    "unknown_key": backfill("orders", onFailur="rerun"),
    "unknown_kind": backfill("orders").replace("Backfill", "Backfil"),
    "unknown_value": backfill("orders", onFailure="retry"),
    "wrong_type": backfill("orders", maxAttempts='"3"'),
    # What one spec asks for.
    "connection_lacks": backfill("orders", connection="bare"),
    "date": backfill("orders", dates="{list: [2020-02-30]}"),
    "date_not_complete": backfill("orders", dates="{start: 2026-11-18, end: 2026-11-30}"),
    "dates_form": backfill("orders", dates="{start: 2020-05-20, last: 7}"),
    "environment": manual_flow("close", connection="dev"),
    "hours": backfill("orders", hours='{begin: "20:00:00", end: "04:00:00"}'),
    "no_dates": backfill("orders", dates="{list: [2020-05-20], except: [2020-05-20]}"),
    "nodes": backfill("orders", target="{rootNode: 1234, includeNodes: [74324]}"),
    "not_carried": backfill("orders", params='{1234: {title: "May 2020"}}'),
    "not_on_dataarts": backfill(
        "orders", connection="hw", target="{job: orders}", params="{1234: {key: value}}"
    ),
    "not_on_dataworks": backfill("orders", target="{rootNode: 1234, planOffsetDays: 1}"),
    "one_condition": gate("quiet", dataarts="{job: orders}"),
    "params_unused": backfill("orders", params="{74324: {key: value}}"),
    "rerun_not_desired": backfill(
        "orders", reruns="[{generation: 2, dates: [2020-06-01], reason: upstream repaired}]"
    ),
    "reserved": manual_flow("close", params="{flow: {reconciler_run: x}}"),
    "rrule": backfill("orders", dates="{last: 60, rrule: FREQ=HOURLY}"),
    "timezone": backfill("orders", connection="hw-bare", target="{job: orders}"),
    "unknown_connection": backfill("orders", connection="pord"),
    "wrong_provider": manual_flow("close", connection="hw"),
    # What several ask for together.
    "circle": "---\n".join(
        (
            backfill("orders", requires="[backfill.rates]"),
            backfill("rates", target="{rootNode: 5678}", requires="[backfill.orders]"),
        )
    ),
    "conflict": "---\n".join(
        (backfill("orders"), backfill("rates", params="{1234: {key: value}}"))
    ),
    "date_not_wanted": "---\n".join(
        (
            backfill("rates", target="{rootNode: 5678}"),
            backfill(
                "orders",
                dates="{list: [2020-05-20, 2020-05-21]}",
                requires="[backfill.rates@date]",
            ),
        )
    ),
    "duplicate_name": "---\n".join(
        (backfill("orders"), backfill("orders", target="{rootNode: 5678}"))
    ),
    "unknown_gate": backfill("orders", requires="[gate.quiet]"),
    "unknown_resource": backfill("orders", requires="[backfill.rates]"),
}


def _project(*lines: str) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"apiVersion: reconciler/v1\nkind: Project\nmetadata: {{name: shop}}\nspec:\n{body}"


def _connection(more: str = "projectId: 112345", region: str = "cn-shanghai") -> str:
    prod = f"{{provider: dataworks, region: {region}, {more}}}"
    return _project("connections:", f"  prod: {prod}")


def _freeze(start: str, end: str) -> str:
    return _project("policy:", f'  freezes: [{{from: "{start}", until: "{end}"}}]')


_PROJECTS: Mapping[Code, str] = {
    "path": _project("specs: [../other/*.yaml]"),
    "earliest_date": PROJECT + "  policy: {earliestDate: 2021-01-01}\n",
    "missing_annotation": PROJECT + "  policy: {requireAnnotations: [owner]}\n",
    "empty": "# nothing yet\n",
    "endpoint": _connection('endpoint: "http://example.com"'),
    "freeze": _freeze("2026-11-12T00:00+08:00", "2026-11-10T00:00+08:00"),
    "missing_variable": _connection(region='"${env:REGION}"'),
    "moment": _freeze("2026-11-10T00:00", "2026-11-12T00:00+08:00"),
    "one_document": "---\n".join((_project("specs: [a/*.yaml]"), _project("specs: [b/*.yaml]"))),
    "state": _project("state: mysql://db/reconciler"),
    "unknown_timezone": _connection("timezone: Asia/Shangai"),
}


def _printed(root: Path, project: str, spec: str) -> str:
    write(root, {"reconciler.yaml": project, "specs/orders.yaml": spec})
    try:
        return render_diagnostics(load_specs(load_project(root, {}), now=NOW).diagnostics)
    except InputError as error:
        return render_diagnostics(error.diagnostics)


@scene(*_SPECS)
def specs(root: Path) -> Iterator[Told]:
    for code, text in _SPECS.items():
        yield code, _printed(root / code, PROJECT, text)


@scene(*_PROJECTS)
def projects(root: Path) -> Iterator[Told]:
    for code, text in _PROJECTS.items():
        yield code, _printed(root / code, text, backfill("orders"))


SCENES: tuple[Scene, ...] = (specs, projects)
