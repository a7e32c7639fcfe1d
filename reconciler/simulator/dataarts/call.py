"""What an operation is given, and the constants of the simulated account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.simulator.dataarts.parameters import Fields, Query
from reconciler.simulator.messages import Answer, Request
from reconciler.simulator.session import Session

USER = "simulator"
"""The user who owns every job and has created every run."""

DEFAULT_WORKSPACE = "default"
"""The workspace of a call that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an operation that passed the gateway; `path` has the decoded parts of its path."""

    operation: str
    path: Mapping[str, str]
    request: Request
    session: Session

    @property
    def project(self) -> str:
        """The project id in the path."""
        return self.path.get("project_id", "")

    @property
    def workspace(self) -> str:
        """The workspace that the header names, or the default one."""
        return self.request.header("workspace") or DEFAULT_WORKSPACE

    def query(self) -> Query:
        """The parameters in the query."""
        return Query.of(self.request.query)

    def body(self) -> Fields:
        """The fields of a JSON body; an absent body has none.

        Raises:
            ServiceRefusal: It is no JSON object: DLF.3051.
        """
        return Fields.of(self.request.body)


def no_content() -> Answer:
    """Done, and nothing to say."""
    return Answer(status=204, content_type="application/json", body=b"")
