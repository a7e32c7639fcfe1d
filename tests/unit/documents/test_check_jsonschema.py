"""The public checker `check-jsonschema`, which editors and CI jobs use too, agrees with our schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from check_jsonschema import main
from click.testing import CliRunner, Result

from reconciler.schema_files import read_schema, schema_kinds
from reconciler.usecases.init import FILES

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "reconciler" / "templates"
WORLD = ROOT / "specs" / "world.yaml"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SEPARATOR = re.compile(r"^---$", re.MULTILINE)
_KIND = re.compile(r"^kind: (\w+)$", re.MULTILINE)


def check(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def check_kind(kind: str, documents: Mapping[str, str], folder: Path) -> Result:
    """Check documents, by where they are from, against one schema."""
    files = []
    for number, (origin, text) in enumerate(documents.items()):
        file = folder / f"{number}-{re.sub(r'[^A-Za-z0-9.-]+', '-', origin)}"
        file.write_text(text)
        files.append(file)
    return check("--schemafile", ROOT / "schemas" / f"{kind}.schema.json", *files)


def _texts() -> Iterator[tuple[str, str]]:
    """Each YAML text that shows whole documents, and where it is from."""
    templates = [TEMPLATES / name for name in FILES if name.endswith(".yaml")]
    for path in [*sorted((ROOT / "specs").rglob("*.yaml")), *templates]:
        if path != WORLD and TEMPLATES / "ci" not in path.parents:
            yield str(path.relative_to(ROOT)), path.read_text()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, block in enumerate(_BLOCK.findall(page.read_text())):
            if re.search(r"^apiVersion:", block, re.MULTILINE):
                yield f"{page.relative_to(ROOT)}-{number}.yaml", block


def shown_documents() -> dict[str, dict[str, str]]:
    """The documents of the examples, the templates and the pages: by kind, then by where they are from."""
    found: dict[str, dict[str, str]] = {"world": {"specs/world.yaml": WORLD.read_text()}}
    for origin, text in _texts():
        for number, document in enumerate(_SEPARATOR.split(text)):
            (kind,) = _KIND.findall(document)
            found.setdefault(kind.lower(), {})[f"{number}-{origin}"] = document
    return found


def test_every_whole_document_is_found() -> None:
    assert {kind: len(documents) for kind, documents in shown_documents().items()} == {
        "world": 1,
        "project": 2,
        "backfill": 8,
        "manualflow": 2,
        "gate": 7,
    }


@pytest.mark.parametrize("kind", schema_kinds())
def test_every_example_fits_its_schema(kind: str, tmp_path: Path) -> None:
    examples = read_schema(kind)["examples"]
    assert isinstance(examples, list)
    own = {f"{number}.json": json.dumps(example) for number, example in enumerate(examples)}
    result = check_kind(kind, own | shown_documents().get(kind, {}), tmp_path)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("file", "schema"), [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")]
)
def test_the_ci_examples_are_what_the_ci_systems_read(file: str, schema: str) -> None:
    result = check("--builtin-schema", schema, TEMPLATES / "ci" / f"{file}.yaml")
    assert result.exit_code == 0, result.output


def test_what_is_mistyped_is_refused(tmp_path: Path) -> None:
    (origin, text), *_ = shown_documents()["backfill"].items()
    result = check_kind("backfill", {origin: text.replace("rootNode", "rootnode")}, tmp_path)
    assert result.exit_code == 1
    assert "rootnode" in result.output
