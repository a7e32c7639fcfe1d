"""What a handler is given, and what the service knows about one path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from reconciler.simulator.generic_ids import GenericId, parse_generic_id
from reconciler.simulator.messages import Request
from reconciler.simulator.obshell.headers import Members, read_body
from reconciler.simulator.obshell.refusals import bad_body, bad_id, unexpected
from reconciler.simulator.session import Session

# The words that Go's strconv.ParseBool reads.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that was admitted. `task` is the id in its path; `header` is empty on open paths."""

    request: Request
    session: Session
    task: str
    header: Members

    def task_id(self) -> GenericId:
        """The id in the path.

        Raises:
            GatewayError: It is malformed.
        """
        task_id = parse_generic_id(self.task)
        if task_id is None:
            raise bad_id(self.task)
        return task_id

    def wants_details(self) -> bool:
        """The query's `show_details`, or true.

        Raises:
            GatewayError: It is no truth value.
        """
        word = dict(parse_qsl(self.request.query, keep_blank_values=True)).get(
            "show_details", "true"
        )
        if word not in _TRUE | _FALSE:
            raise unexpected(f"show_details is {word!r}")
        return word in _TRUE

    def operator(self) -> str:
        """The body's `operator`.

        Raises:
            GatewayError: There is none, or no such body.
        """
        word = read_body(self.request, self.header).get("operator")
        if not isinstance(word, str) or not word:
            raise bad_body("operator is required")
        return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path. `run` gives the answer's `data`; None leaves it out."""

    operation: str
    run: Callable[[Call], object]
    is_open: bool = False
    writes: bool = False
