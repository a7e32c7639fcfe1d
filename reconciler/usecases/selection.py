"""`--target` and `--exclude`: which addresses a command is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Shell-style patterns over addresses; no target means all."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def __call__(self, address: Address) -> bool:
        """Whether an address is meant."""
        wanted = not self.targets or any(address.matches(pattern) for pattern in self.targets)
        return wanted and not any(address.matches(pattern) for pattern in self.excludes)

    def ensure_matches(self, addresses: Iterable[Address]) -> None:
        """Refuse targets that name nothing, so that a typo does not read as "nothing to do".

        Raises:
            InputError: One diagnostic per such target.
        """
        known = tuple(addresses)
        problems = [
            Diagnostic(
                severity=Severity.ERROR,
                code="unknown_target",
                summary=f"no resource matches {pattern!r}",
                hint="`reconciler status` lists the addresses of this project",
            )
            for pattern in self.targets
            if not any(address.matches(pattern) for address in known)
        ]
        if problems:
            raise InputError(problems)
