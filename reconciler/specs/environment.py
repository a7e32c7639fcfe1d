"""`${env:NAME}` in the project file, the only file in which it means anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.documents import ListNode, MapNode, Node, Problems, ScalarNode, quoted
from reconciler.model.diagnostics import Place
from reconciler.model.project import UnsetVariable

_REFERENCE = re.compile(r"\$\{env:([^}]*)\}?")
_WHOLE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Fields whose variable may be missing: commands that sign nothing and open no database server, such as
#: the plan of a fork's pull request, run where there is no secret.
_SECRETS = frozenset(
    {"accessKeyId", "accessKeySecret", "securityToken", "password", "agentPassword", "state"}
)


@dataclass(frozen=True, slots=True)
class Substituted:
    """A tree with the values of variables in it.

    `unset` says, by the place of a secret field, which variable it lacks; its value is the reference.
    """

    root: Node
    unset: Mapping[Place, UnsetVariable]


def substitute(root: Node, environ: Mapping[str, str], problems: Problems) -> Substituted:
    """Replace each reference in a text value; keys are left alone.

    Returns:
        The same tree with new values. The source text of each scalar stays, so that a message which
        quotes it shows the reference and never the value.
    """
    substitution = _Substitution(environ, problems)
    return Substituted(substitution.of_node(root), substitution.unset)


class _Substitution:
    """The work on one file. A variable that is missing is a problem or, in a secret field, noted."""

    def __init__(self, environ: Mapping[str, str], problems: Problems) -> None:
        self.unset: dict[Place, UnsetVariable] = {}
        self._environ = environ
        self._problems = problems

    def of_node(self, node: Node, key: str | None = None) -> Node:
        """Substitute in a node; `key` is the one it is the value of."""
        if isinstance(node, MapNode):
            entries = {name: self.of_node(item, name) for name, item in node.entries.items()}
            return node._replace(entries=entries)
        if isinstance(node, ListNode):
            return node._replace(items=tuple(self.of_node(item) for item in node.items))
        if not isinstance(node.value, str) or "${env:" not in node.value:
            return node
        return self._of_text(node, node.value, is_secret=key in _SECRETS)

    def _of_text(self, node: ScalarNode, text: str, *, is_secret: bool) -> ScalarNode:
        def look_up(found: re.Match[str]) -> str:
            name = found[1]
            if not _WHOLE.fullmatch(found[0]):
                self._problems.error(
                    node,
                    "malformed",
                    "a reference to an environment variable is malformed",
                    hint="write ${env:NAME}, with letters, digits and underscores in the name",
                )
                return found[0]
            value = self._environ.get(name, "")
            if not value:
                self._note_unset(node, name, is_secret=is_secret)
                return found[0]
            if _CONTROL.search(value):
                self._problems.error(
                    node,
                    "malformed",
                    f"the value of the environment variable {quoted(name)} holds a control character",
                    hint="a line end at its end is the usual cause",
                )
            return value

        replaced = _REFERENCE.sub(look_up, text)
        # A field that lacks one variable keeps nothing of the others.
        unset = self._problems.source.place(node) in self.unset
        return node if unset else node._replace(value=replaced)

    def _note_unset(self, node: ScalarNode, name: str, *, is_secret: bool) -> None:
        place = self._problems.source.place(node)
        is_empty = name in self._environ
        if is_secret:
            self.unset.setdefault(place, UnsetVariable(name, place, is_empty=is_empty))
            return
        self._problems.error(
            node,
            "missing_variable",
            f"the environment variable {quoted(name)} is {'empty' if is_empty else 'not set'}",
            hint=f"set {name}",
        )
