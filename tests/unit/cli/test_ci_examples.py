"""The CI examples that `init` writes: their commands can be typed, and no job may more than it needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import click
import pytest
import yaml

from reconciler.cli.main import cli


def example(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        files("reconciler.templates").joinpath("ci", name).read_text(encoding="utf-8")
    )
    return loaded


def texts(node: object) -> Iterator[str]:
    """All texts of a document, at any depth."""
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    else:
        yield str(node)


@pytest.mark.parametrize("name", ["github.yaml", "gitlab.yaml"])
def test_the_commands_can_be_typed(name: str) -> None:
    lines = [line for text in texts(example(name)) for line in text.splitlines()]
    commands = [line for line in lines if line.startswith("reconciler ")]
    assert len(commands) == 3
    for line in commands:
        _, command, *words = shlex.split(line.partition(" > ")[0])
        found = cli.get_command(click.Context(cli), command)
        assert found is not None
        found.make_context(command, words)


def test_the_job_that_may_write_runs_nothing_of_the_pull_request() -> None:
    workflow = example("github.yaml")
    assert workflow["permissions"] == {"contents": "read"}
    jobs = workflow["jobs"]
    assert [name for name, job in jobs.items() if "permissions" in job] == ["comment"]
    comment = jobs["comment"]
    assert comment["permissions"] == {"pull-requests": "write"}
    assert [step["uses"] for step in comment["steps"] if "uses" in step] == [
        "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093"
    ]
    assert not any(re.search(r"^(pipx|reconciler)", one, re.MULTILINE) for one in texts(comment))
    assert "head.repo.full_name == github.repository" in comment["if"]


def test_what_a_pull_request_runs_knows_no_secret() -> None:
    workflow = example("github.yaml")
    assert "pull_request_target" not in str(workflow)
    with_secrets = [
        name
        for name, job in workflow["jobs"].items()
        if any("secrets." in one for one in texts(job))
    ]
    assert with_secrets == ["apply"]
    assert workflow["jobs"]["apply"]["if"] == "github.event_name != 'pull_request'"
    scripts = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    # What an expression yields would be read as shell.
    assert not any(re.search(r"\$\{\{", script) for script in scripts)
