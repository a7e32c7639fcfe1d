"""Small projects on disk, for the tests of loading."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from reconciler.specs import Loaded, load_project, load_specs

NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)
PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: p}
spec:
  connections:
    prod: {provider: dataworks, region: cn-shanghai, project: test_project, projectId: 112345}
    dev: {provider: dataworks, region: cn-shanghai, project: t, projectId: 7, environment: DEV}
    west: {provider: dataworks, region: us-west-1, projectId: 9, timezone: America/Los_Angeles}
    bare: {provider: dataworks, region: cn-shanghai}
    ob: {provider: obshell, endpoint: "http://10.0.0.8:2886"}
    hw: {provider: dataarts, region: cn-north-4, projectId: p1, workspace: w1, instance: i1}
    hw-bare: {provider: dataarts, region: cn-north-4, projectId: p1, timezone: Asia/Kolkata}
"""


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


def load(
    root: Path,
    *,
    project: str = PROJECT,
    now: dt.datetime = NOW,
    paths: tuple[str, ...] = (),
    more: Mapping[str, str] = MappingProxyType({}),
    **specs: str,
) -> Loaded:
    """Load specs given as `name=text`, or in `more`, each from specs/NAME.yaml."""
    files = {f"specs/{name}.yaml": text for name, text in {**more, **specs}.items()}
    write(root, {"reconciler.yaml": project, **files})
    return load_specs(load_project(root, {}), now=now, paths=paths)


def backfill(name: str = "a", **spec: str) -> str:
    """A Backfill; each field of its spec may be replaced, or removed with an empty text."""
    fields = {"connection": "prod", "target": "{rootNode: 1234}", "dates": "{list: [2020-05-20]}"}
    return _document("Backfill", name, {**fields, **spec})


def manual_flow(name: str = "a", **spec: str) -> str:
    fields = {"connection": "prod", "target": "{flow: f}", "dates": "{list: [2020-05-20]}"}
    return _document("ManualFlow", name, {**fields, **spec})


def gate(name: str = "g", **spec: str) -> str:
    fields = {"connection": "ob", "obshell": "{noUnfinished: cluster}"}
    return _document("Gate", name, {**fields, **spec})


def job_backfill(name: str = "a", **spec: str) -> str:
    """A Backfill on DataArts."""
    return backfill(name, **{"connection": "hw", "target": "{job: etl-dli2dws}", **spec})


def _document(kind: str, name: str, fields: Mapping[str, str]) -> str:
    body = "".join(f"  {key}: {value}\n" for key, value in fields.items() if value)
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{body}"


def summaries(loaded: Loaded) -> list[str]:
    return [f"{item.place}: {item.code}: {item.summary}" for item in loaded.diagnostics]


def codes(loaded: Loaded) -> list[str]:
    return [item.code for item in loaded.diagnostics]
