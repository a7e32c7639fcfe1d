"""What a pull request can put where a file should be, and in a file's name."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.hostile.corpus.case import CONTRACT, REFUSED, Case, Surface, Threat
from tests.hostile.stage import OUTSIDE, Stage
from tests.unit.specs.spec_files import backfill

#: Takes the folder of the specs, which lies in a project that lies beside `outside.yaml`.
Plant = Callable[[Path], None]


def _link(target: str, name: str = "x.yaml") -> Plant:
    return lambda specs: (specs / name).symlink_to(target)


def _outside(specs: Path) -> Path:
    return specs.parents[1] / "outside.yaml"


def _absolute_link(specs: Path) -> None:
    (specs / "x.yaml").symlink_to(_outside(specs))


def _link_to_link(specs: Path) -> None:
    (specs / "one").symlink_to(_outside(specs))
    (specs / "x.yaml").symlink_to("one")


def _linked_folder(specs: Path) -> None:
    folder = specs.parents[1] / "folder"
    folder.mkdir()
    (folder / "y.yaml").write_text(OUTSIDE)
    (specs / "more").symlink_to(folder)


def _fifo(specs: Path) -> None:
    os.mkfifo(specs / "x.yaml")


def _socket(specs: Path) -> None:
    here = Path.cwd()
    os.chdir(specs)  # The path of a socket is short.
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("x.yaml")
    finally:
        os.chdir(here)


def _named(name: bytes) -> Plant:
    def put(specs: Path) -> None:
        Path(os.fsdecode(os.fsencode(specs) + b"/" + name)).write_text(backfill())

    return put


def _deep(specs: Path) -> None:
    path = specs
    for _ in range(60):
        path /= "d"
    path.mkdir(parents=True)


def _huge(specs: Path) -> None:
    with (specs / "x.yaml").open("wb") as file:
        file.truncate(10 * 1024 * 1024 * 1024)


def _many_large(specs: Path) -> None:
    for number in range(12):
        (specs / f"x{number:02}.yaml").write_bytes(b"#" * 1024 * 1024)


def _folder_named_as_a_file(specs: Path) -> None:
    (specs / "x.yaml").mkdir()


PLANTS: dict[str, tuple[Threat, Plant, str]] = {
    "symbolic link out": (Threat.FILES, _absolute_link, "symbolic_link"),
    "relative symbolic link out": (Threat.FILES, _link("../../outside.yaml"), "symbolic_link"),
    "symbolic link inside": (Threat.FILES, _link("../reconciler.yaml"), "symbolic_link"),
    "symbolic link to a link": (Threat.FILES, _link_to_link, "symbolic_link"),
    "dangling symbolic link": (Threat.FILES, _link("nowhere.yaml"), "symbolic_link"),
    "symbolic link to itself": (Threat.FILES, _link("x.yaml"), "symbolic_link"),
    "symbolic link to the environment": (Threat.FILES, _link("/proc/self/environ"), "symbolic_link"),
    "symbolic link to memory": (Threat.FILES, _link("/proc/self/mem"), "symbolic_link"),
    "symbolic link to stdin": (Threat.FILES, _link("/dev/stdin"), "symbolic_link"),
    "symbolic link to a device": (Threat.FILES, _link("/dev/zero"), "symbolic_link"),
    "symbolic link to the terminal": (Threat.FILES, _link("/dev/tty"), "symbolic_link"),
    "FIFO": (Threat.FILES, _fifo, "not_a_file"),
    "socket": (Threat.FILES, _socket, "not_a_file"),
    "huge file": (Threat.BOMBS, _huge, "file_too_large"),
    "many large files": (Threat.BOMBS, _many_large, "project_too_large"),
    "control character in a name": (Threat.TERMINALS, _named(b"x\x1b[31m.yaml"), "file_name"),
    "direction in a name": (Threat.TERMINALS, _named("x\u202e.yaml".encode()), "file_name"),
    "filler in a name": (Threat.TERMINALS, _named("x\u3164.yaml".encode()), "file_name"),
    "carriage return in a name": (Threat.TERMINALS, _named(b"ok\r.yaml"), "file_name"),
    "no text in a name": (Threat.TERMINALS, _named(b"x\xff.yaml"), "file_name"),
    "line end in a name": (Threat.RUNNERS, _named(b"x\n::error::y.yaml"), "file_name"),
}  # fmt: skip

#: Folders are looked into where the pattern reaches that deep.
DEEP_PLANTS: dict[str, tuple[Threat, Plant, str]] = {
    "symbolic link to a folder": (Threat.FILES, _linked_folder, "symbolic_link"),
    "symbolic link to the root": (Threat.FILES, _link("/", "more"), "symbolic_link"),
    "symbolic link to the processes": (Threat.FILES, _link("/proc/self", "more"), "symbolic_link"),
    "symbolic link upwards": (Threat.FILES, _link("..", "more"), "symbolic_link"),
    "very deep folders": (Threat.BOMBS, _deep, "too_deep"),
}

#: Names that are shown as they are: nothing is wrong with the file but what it is called.
COMMANDING = {
    "command": b"::error::owned.yaml",
    "old command": b"##[error]owned.yaml",
    "Azure": b"##vso[task.complete]owned.yaml",
    "mention": b"@octocat.yaml",
    "fence": b"```.yaml",
    "HTML": b"<img src=x onerror=alert(1)>.yaml",
    "percent": b"100%0A%0D.yaml",
    "comma and colon": b"a,line=1::b.yaml",
    "blank": b" .yaml",
    "option": b"--help.yaml",
}

#: Where `simulator.world` may not lead; each is put at `world.yaml`.
WORLDS: dict[str, Plant] = {
    "symbolic link out": lambda root: (root / "world.yaml").symlink_to(
        root.parent / "outside.yaml"
    ),
    "symbolic link to the environment": lambda root: (root / "world.yaml").symlink_to(
        "/proc/self/environ"
    ),
    "symbolic link to a device": lambda root: (root / "world.yaml").symlink_to("/dev/zero"),
    "FIFO": lambda root: os.mkfifo(root / "world.yaml"),
    "folder": lambda root: (root / "world.yaml").mkdir(),
    "nothing": lambda _: None,
}

#: Arguments that name something outside, or nothing that can be named.
ARGUMENTS = {
    "above": "../outside.yaml",
    "above by a folder": "specs/../../outside.yaml",
    "absolute": "/proc/self/environ",
    "home": "~/.aliyun/config.json",
    "wildcard above": "../*.yaml",
    "empty": "''",
    "escape": "$'x'\x1b[31m.yaml",
    "command": "'::error::owned'",
    "half a character": "'x\udcff'",
}


#: What a variable may hold that nothing runs, and nobody obeys.
SPOILT = "\u202e::error::\u3164"

ENVIRONMENTS: dict[str, tuple[Threat, dict[str, str]]] = {
    "user": (Threat.TERMINALS, {"LOGNAME": "\x1b[2J\n::error::owned", "USER": "\u202eowned"}),
    "user that is no text": (Threat.TERMINALS, {"LOGNAME": "\udcff\udcfe"}),
    "columns": (Threat.TERMINALS, {"COLUMNS": "999999999999999999999"}),
    "proxies": (
        Threat.ENDPOINTS,
        dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:1"),
    ),
    "certificates": (Threat.ENDPOINTS, {"SSL_CERT_FILE": "/dev/zero", "SSL_CERT_DIR": "/"}),
    "a git of another repository": (
        Threat.CODE,
        {"GIT_DIR": "/nowhere", "GIT_EXTERNAL_DIFF": "touch owned", "GIT_PAGER": "touch owned"},
    ),
    "an editor": (Threat.CODE, {"EDITOR": "touch owned", "PAGER": "touch owned"}),
}


def _nothing(stage: Stage) -> None:
    """The environment is the attack."""


def _with_secrets(stage: Stage) -> None:
    """A connection of the real service, whose secret the environment of a fork does not have."""
    _declared(stage)
    static = "credentials: {source: static, accessKeyId: a, accessKeySecret: '${env:SK}'}"
    stage.configure(
        f"      provider: dataworks\n      region: cn-shanghai\n      projectId: 1\n      {static}",
        "",
    )


def _in_specs(plant: Plant, *, deep: bool) -> Callable[[Stage], None]:
    def put(stage: Stage) -> None:
        if deep:
            project = stage.root / "reconciler.yaml"
            project.write_text(project.read_text().replace("specs/*.yaml", "specs/**/*.yaml"))
        stage.backfill("good")
        plant(stage.root / "specs")

    return put


def _declared(stage: Stage) -> None:
    stage.backfill()


def _as_world(plant: Plant) -> Callable[[Stage], None]:
    def put(stage: Stage) -> None:
        (stage.root / "world.yaml").unlink()
        plant(stage.root)

    return put


def _broken(name: bytes) -> Callable[[Stage], None]:
    def put(stage: Stage) -> None:
        Path(os.fsdecode(os.fsencode(stage.root) + b"/specs/" + name)).write_text("kind: [")

    return put


def _project_elsewhere(stage: Stage) -> None:
    project = stage.root / "reconciler.yaml"
    project.unlink()
    project.symlink_to("../outside.yaml")


def _saved_elsewhere(stage: Stage) -> None:
    _declared(stage)
    (stage.root / "p.json").symlink_to("../outside.yaml")


def _unharmed(stage: Stage) -> None:
    assert (stage.root.parent / "outside.yaml").read_text() == OUTSIDE


CASES = (
    *(
        Case(
            id=f"path: {name}",
            threat=threat,
            surface=Surface.PATH,
            plant=_in_specs(plant, deep=deep),
            commands=("validate --format json", "validate", "plan --offline"),
            codes=REFUSED,
            finds=frozenset({code}),
            holds=_unharmed,
        )
        for deep, plants in ((False, PLANTS), (True, DEEP_PLANTS))
        for name, (threat, plant, code) in plants.items()
    ),
    *(
        Case(
            id=f"path: file called as a {name}",
            threat=Threat.COMMENTS if name in {"mention", "fence", "HTML"} else Threat.RUNNERS,
            surface=Surface.NAME,
            plant=_broken(file),
            commands=(
                "validate --format json",
                "validate",
                "validate --format github",
                "plan --offline",
            ),
            codes=REFUSED,
        )
        for name, file in COMMANDING.items()
    ),
    *(
        Case(
            id=f"path: {name} as a world",
            threat=Threat.FILES,
            surface=Surface.WORLD,
            scene=_declared,
            plant=_as_world(plant),
            commands=("plan", "apply --auto-approve"),
            more=("check", "drift"),
            codes=REFUSED,
            holds=_unharmed,
        )
        for name, plant in WORLDS.items()
    ),
    *(
        Case(
            id=f"path: argument that is {name}",
            threat=Threat.FILES,
            surface=Surface.PATH,
            plant=_declared,
            commands=(
                f"validate -- {path}",
                f"validate --format json -- {path}",
                f"show -- {path}",
            ),
            codes=CONTRACT,
        )
        for name, path in ARGUMENTS.items()
    ),
    Case(
        id="path: symbolic link as a project",
        threat=Threat.FILES,
        surface=Surface.PROJECT,
        plant=_project_elsewhere,
        commands=("validate --format json", "validate", "plan --offline", "check"),
        codes=REFUSED,
    ),
    Case(
        id="path: symbolic link where a plan is saved",
        threat=Threat.FILES,
        surface=Surface.PATH,
        plant=_saved_elsewhere,
        commands=("plan --offline --out p.json",),
        codes=REFUSED,
        holds=_unharmed,
    ),
    *(
        Case(
            id=f"environment: {name}",
            threat=threat,
            surface=Surface.ENVIRONMENT,
            scene=_declared,
            plant=_nothing,
            environ=environ,
            commands=("plan --offline", "apply --auto-approve", "history"),
        )
        for name, (threat, environ) in ENVIRONMENTS.items()
    ),
    *(
        Case(
            id=f"environment: a fork without {name}",
            threat=Threat.FORKS,
            surface=Surface.ENVIRONMENT,
            scene=_with_secrets,
            plant=_nothing,
            environ={"SK": secret},
            commands=("validate", "plan --offline"),
            codes=frozenset({0}),
        )
        for name, secret in {"a value": "", "rights": "x", "the right value": SPOILT}.items()
    ),
)
