"""Planted secrets come out nowhere: no output, log, plan, store or traceback holds one."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest

from reconciler.providers.signing import SigningKey
from tests.hostile.canaries import CANARIES, CONNECTIONS, ENVIRON, repeating
from tests.hostile.corpus.replies import FIELDS, FRESH
from tests.hostile.stage import Stage, everywhere
from tests.scenario.sandbox import Result, Sandbox

_UNIT = "backfill.free@2020-05-20"
_LOGGED = ("-v", "--log-format", "json")
_COMMANDS = (
    "validate", "validate --format json", "plan --offline", "plan --json --refresh full",
    "plan --target backfill.free --out p.json", "show p.json", "apply --auto-approve",
    "apply p.json --json", "status", "status --json", f"explain {_UNIT}", "drift", "check",
    "history", "history --json", "state show backfill.free", "state pull",
)  # fmt: skip
_POSTGRES = "state: postgresql://u:${env:PG_PASSWORD}@127.0.0.1:1/db"


class Outlets:
    """Everything that came out, by where it did."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}

    def run(self, project: Sandbox, *words: str) -> Result:
        """Run a command."""
        result = project.run(*words)
        name = " ".join(words)
        self.texts[f"{name} > stdout"] = result.out.encode()
        self.texts[f"{name} > stderr"] = result.err.encode()
        return result

    def take_files(self, root: Path) -> None:
        """Whatever we wrote below a project, but not its own files and not the simulator's."""
        for path in root.rglob("*"):
            ours = path.suffix != ".yaml" and "simulator" not in path.parts
            if path.is_file() and ours:
                self.texts[path.relative_to(root).as_posix()] = path.read_bytes()

    def leaks(self, canaries: Mapping[str, str]) -> list[str]:
        """Which canary came out where."""
        return [
            f"{name}: {where}"
            for name, value in canaries.items()
            for where, text in self.texts.items()
            if any(form in text for form in _forms(value))
        ]


def _forms(value: str) -> set[bytes]:
    """A secret as it is, and as JSON, URLs, HTML and Base64 write it."""
    raw = value.encode()
    written = (value, json.dumps(value)[1:-1], quote(value), quote(value, safe=""))
    whole = base64.b64encode(raw).rstrip(b"=")[:-1]
    return {raw, whole, html.escape(value).encode(), *(one.encode() for one in written)}


@dataclass(frozen=True)
class Planted:
    """A project with secrets in whatever place can have one, and the service that it asks."""

    project: Sandbox
    url: str
    outlets: Outlets = field(default_factory=Outlets)

    def configure(self, *, state: str = "", broken: str = "") -> None:
        """Write the project file."""
        text = CONNECTIONS.format(url=self.url, state=state, broken=broken)
        (self.project.root / "reconciler.yaml").write_text(text)


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Planted]:
    project = Sandbox(tmp_path / "project")
    dates = {"list": ["2020-05-20"]}
    for number, connection in enumerate(("prod", "late"), start=3):
        name = "free" if connection == "prod" else connection
        project.backfill(name, connection=connection, target={"rootNode": number}, dates=dates)
    for name in ("hw", "user", "bad"):
        project.backfill(f"job-{name}", connection=name, target={"job": "j"}, dates=dates)
    project.backfill("gated", dates=dates, requires=["gate.quiet", "gate.landed"])
    quiet = {"connection": "ob", "obshell": {"noUnfinished": "cluster"}}
    landed = {"connection": "hw", "dataarts": {"task": "1", "job": "j"}}
    project.document("gate-quiet.yaml", "Gate", "quiet", quiet)
    project.document("gate-landed.yaml", "Gate", "landed", landed)
    with repeating() as url, mock.patch.dict(os.environ, ENVIRON):
        made = Planted(project, url)
        made.configure()
        yield made


def test_no_secret_comes_out_of_a_command_or_into_a_file(planted: Planted) -> None:
    outlets, project = planted.outlets, planted.project
    for command in _COMMANDS:
        outlets.run(project, *command.split())
    for command in ("apply --auto-approve", "check"):
        outlets.run(project, *_LOGGED, *command.split())
    outlets.take_files(project.root)
    assert b"RunCycleDagNodes" in outlets.texts[".reconciler/state.db"]
    assert re.search(rb"outcome unknown, .*[*]{3}", outlets.texts["apply --auto-approve > stderr"])
    assert {"p.json", "check > stdout", "history > stdout"} <= outlets.texts.keys()
    assert outlets.leaks(CANARIES) == []


def test_no_secret_comes_out_where_the_store_is_gone(planted: Planted) -> None:
    planted.configure(state=_POSTGRES)
    for command in ("plan", "status", "apply --auto-approve", "history"):
        assert planted.outlets.run(planted.project, "-v", *command.split()).code == 1
    assert planted.outlets.leaks(CANARIES) == []


def test_no_secret_comes_out_of_a_broken_project_file(planted: Planted) -> None:
    for broken in (", zzz: 1", ", accessKeySecret: [", "\x1b", "}, endpoint: http://u:p@x"):
        planted.configure(broken=broken, state=f"{_POSTGRES}?zzz=1")
        for form in ("text", "json", "github"):
            result = planted.outlets.run(planted.project, "validate", "--format", form)
            assert result.code == 1
        assert planted.outlets.leaks(CANARIES) == []


def test_no_secret_comes_out_of_a_traceback(planted: Planted) -> None:
    def fails(self: SigningKey, data: bytes) -> bytes:
        raise ZeroDivisionError(len(self.access_key_secret.reveal()) + len(data))

    with mock.patch.object(SigningKey, "masked", fails):
        result = planted.outlets.run(planted.project, "-v", "plan")
    assert "Traceback" in result.err
    assert "in fails" in result.err
    assert planted.outlets.leaks(CANARIES) == []


def test_no_secret_is_taken_for_what_a_service_says(tmp_path: Path) -> None:
    """Our own key stands in every text of the service that is shown or recorded."""
    stage = Stage(tmp_path / "project")
    FRESH.prepare(stage)
    with stage.simulator("prod") as simulator:
        secret = simulator.access_key_secret
    for scene, operation, name in FIELDS:
        if scene is FRESH:
            stage.spoil(operation, everywhere(name, f"said {secret}"))
    outlets = Outlets()
    for command in _COMMANDS:
        outlets.run(stage, *command.split())
    outlets.take_files(stage.root)
    assert b"said ***" in b"".join(outlets.texts.values())
    assert outlets.leaks({"key": secret}) == []
