"""One attack: what is planted where, which commands meet it, and what they may answer."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tests.hostile.stage import Stage

#: What a command may end with, whatever it met; 130 would mean that somebody interrupted it.
CONTRACT = frozenset({0, 1, 2, 3, 4, 5})
REFUSED = frozenset({1})
PLAN_REFUSED = frozenset({1, 4})


class Threat(enum.Enum):
    """Rows of the table of threats in docs/security.md that a text can reach."""

    ENDPOINTS = "T1"
    FORKS = "T2"
    PLANS = "T3"
    FILES = "T4"
    BOMBS = "T5"
    CODE = "T6"
    REVIEWERS = "T7"
    TERMINALS = "T8"
    RUNNERS = "T9"
    COMMENTS = "T10"
    SECRETS = "T11"


class Surface(enum.Enum):
    """Where a stranger's bytes come in."""

    SPEC = "spec"
    PROJECT = "project file"
    REPLY = "api reply"
    NAME = "name"
    PLAN = "plan file"
    PATH = "path"
    ENVIRONMENT = "environment"
    WORLD = "world file"


def bare(stage: Stage) -> None:
    """A project without specs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One attack.

    Attributes:
        id: Unique; what a test calls it.
        threat: What somebody wants to bring about.
        surface: Where it comes in.
        scene: What stands before; made once, and copied for each case.
        plant: Puts the attack there.
        commands: Command lines that meet it, one after another.
        more: Others, which `make soak` tries as well.
        codes: What each may end with.
        finds: Codes of diagnostics that `validate --format json` must then tell.
        environ: Variables that are set meanwhile.
        holds: What else must be true at the end; it asserts.
        is_rare: Whether it is left to `make soak`: another case is much like it.
    """

    id: str
    threat: Threat
    surface: Surface
    scene: Callable[[Stage], None] = bare
    plant: Callable[[Stage], None]
    commands: tuple[str, ...]
    more: tuple[str, ...] = ()
    codes: frozenset[int] = CONTRACT
    finds: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    holds: Callable[[Stage], None] | None = None
    is_rare: bool = False

    def __str__(self) -> str:
        return f"{self.threat.value} {self.id}"
