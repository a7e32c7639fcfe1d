"""Nothing is written durably and no connection is opened but where a named point tells of it.

The store's transactions and the phases of a request have tests of their own. This one finds what might be
done elsewhere, so that a step which no kill is tried at cannot come in unnoticed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import reconciler

ROOT = Path(reconciler.__path__[0])

#: The simulator stands for somebody else's service; the state package is held by its own tests.
OTHERS = ("simulator", "templates", "state")

#: By function, what it calls that may write or connect, and why no point has to tell of it.
KNOWN = {
    "providers/http.py build_client: AsyncClient": "each phase of its requests has a name",
    "usecases/saved_plans.py save_plan: mkstemp": "plan_file",
    "usecases/saved_plans.py save_plan: fdopen": "plan_file",
    "usecases/saved_plans.py save_plan: fsync": "plan_file",
    "usecases/saved_plans.py save_plan: replace": "plan_file",
    "usecases/saved_plans.py save_plan: unlink": "removes what was not put in place",
    "usecases/saved_plans.py save_plan: open": "the folder, to make it durable",
    "usecases/init.py write_project: mkdir": "a new project, before there is anything to lose",
    "usecases/init.py write_project: open": "the same",
    "wiring/embedded.py open_embedded: mkdir": "where the embedded simulator lives",
    "wiring/system.py _git_commit: run": "asks git, and writes nothing",
    "cli/commands/demo.py command: TemporaryDirectory": "a project that ends with its command",
    "providers/dataworks/credentials.py open_vendor_chain: Client": "asks for keys only",
    "specs/project_file.py read_project_file: open": "reads",
    "specs/finding.py files: open": "reads",
    "specs/finding.py _enter: open": "reads",
    "specs/finding.py read_inside: open": "reads",
    "specs/finding.py read_regular: open": "reads",
    "specs/finding.py read_regular: fdopen": "reads",
    "model/rangemap.py sweep: remove": "of a list",
}

#: Calls that write, whatever they are called on.
_WRITE = {
    *("write_text", "write_bytes", "mkdir", "makedirs", "touch", "rename", "renames", "link"),
    *("symlink", "unlink", "remove", "rmdir", "rmtree", "copy2", "copyfile", "copytree", "move"),
    *("mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory"),
    *("fsync", "fdatasync", "fdopen", "truncate", "ftruncate", "pwrite", "sendfile"),
}

#: Calls that connect, or start what may.
_CONNECT = {
    *("AsyncClient", "Client", "AsyncHTTPTransport", "HTTPTransport", "urlopen", "HTTPConnection"),
    *("HTTPSConnection", "create_connection", "open_connection", "create_engine", "connect"),
    *("Popen", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"),
}
_MODES = set("wax+")


def test_nothing_is_written_and_nobody_called_where_no_point_tells_of_it() -> None:
    found = {step for file in sorted(ROOT.rglob("*.py")) for step in steps_in(file)}
    assert found == set(KNOWN)


def steps_in(file: Path) -> Iterator[str]:
    """What a module calls that may write or connect, by the function around it."""
    place = file.relative_to(ROOT)
    if place.parts[0] in OTHERS:
        return
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for around in ast.walk(tree):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in ast.walk(around):
                if isinstance(call, ast.Call) and _is_step(call):
                    yield f"{place} {around.name}: {_name(call)}"


def _is_step(call: ast.Call) -> bool:
    name = _name(call)
    if name in _WRITE | _CONNECT:
        return True
    if name == "open":
        return not _only_reads(call)
    if name == "replace":  # of a path: text is replaced in two, and values by keyword
        return isinstance(call.func, ast.Attribute) and len(call.args) == 1 and not call.keywords
    on = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(on, ast.Name) and (on.id, name) in {
        ("subprocess", "run"),
        ("socket", "socket"),
    }


def _only_reads(call: ast.Call) -> bool:
    """Whether a file is opened in a mode that is spelled out and writes nothing."""
    said = [word.value for word in call.keywords if word.arg == "mode"] or call.args[-1:]
    match said:
        case [ast.Constant(value=str(mode))]:
            return not _MODES & set(mode)
        case _:
            return False


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
