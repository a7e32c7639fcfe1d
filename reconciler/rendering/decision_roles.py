"""In which colour each decision is told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.model.plan import Decision
from reconciler.rendering.paint import Role

ROLES: Mapping[Decision, Role] = MappingProxyType(
    {
        Decision.CREATE: Role.CREATE,
        Decision.RERUN: Role.CHANGE,
        Decision.ADOPT: Role.CREATE,
        Decision.WAIT: Role.QUIET,
        Decision.BLOCKED: Role.CHANGE,
        Decision.HOLD: Role.PROBLEM,
        Decision.UNKNOWN: Role.PROBLEM,
        Decision.NONE: Role.QUIET,
        Decision.RELEASED: Role.QUIET,
        Decision.SHARED: Role.QUIET,
    }
)
