"""Connections of the project file."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.documents import MapNode, Problems, ScalarNode, quoted, suggestion
from reconciler.model.diagnostics import Place
from reconciler.model.project import (
    Connection,
    DataArtsConnection,
    DataWorksConnection,
    Limits,
    OBShellConnection,
    Secret,
    UnsetVariable,
)
from reconciler.specs.credentials import Secrets, parse_credentials, parse_dataarts_credentials
from reconciler.specs.endpoints import parse_endpoint, parse_realm, parse_url
from reconciler.specs.fields import (
    duration,
    integer,
    number,
    optional_mapping,
    optional_text,
    scalar,
    text,
    value_text,
)

#: The zone that the services schedule in unless a workspace says otherwise.
DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A connection as its file declares it: fields that fit the schema, and what they are read with.

    `unset` are the variables that secret fields lack, by the place of the field; `problems` takes all that
    is wrong.
    """

    name: str
    place: Place
    node: MapNode
    unset: Mapping[Place, UnsetVariable]
    problems: Problems

    @property
    def secrets(self) -> Secrets:
        """Its secret fields."""
        return Secrets(self.unset, self.problems.source)


def parse_connection(declared: Declared) -> Connection:
    """Build a connection of whichever provider it names."""
    match text(declared.node, "provider"):
        case "dataarts":
            return _dataarts(declared)
        case "obshell":
            return _obshell(declared)
        case _:
            return _dataworks(declared)


def _dataworks(declared: Declared) -> DataWorksConnection:
    node, problems = declared.node, declared.problems
    endpoint = parse_endpoint(node, problems)
    markers = node.get("markers")
    return DataWorksConnection(
        name=declared.name,
        place=declared.place,
        region=text(node, "region"),
        project=optional_text(node, "project"),
        project_id=_project_id(node),
        environment=optional_text(node, "environment") or "PROD",
        timezone=_timezone(node, problems),
        credentials=parse_credentials(node, declared.secrets),
        endpoint=endpoint,
        realm=parse_realm(node, endpoint),
        limits=_limits(node),
        skew_seconds=_skew_seconds(node),
        lag_seconds=_lag_seconds(node),
        markers=markers is not None and scalar(markers).value is True,
    )


def _dataarts(declared: Declared) -> DataArtsConnection:
    node, problems = declared.node, declared.problems
    endpoint = parse_endpoint(node, problems)
    return DataArtsConnection(
        name=declared.name,
        place=declared.place,
        region=text(node, "region"),
        project_id=text(node, "projectId"),
        workspace=optional_text(node, "workspace"),
        instance=optional_text(node, "instance"),
        timezone=_timezone(node, problems),
        credentials=parse_dataarts_credentials(node, declared.secrets),
        endpoint=endpoint,
        iam_endpoint=parse_url(node, "iamEndpoint", problems),
        realm=parse_realm(node, endpoint),
        limits=_limits(node),
        skew_seconds=_skew_seconds(node),
        lag_seconds=_lag_seconds(node),
    )


def _obshell(declared: Declared) -> OBShellConnection:
    node = declared.node
    # An agent speaks plain HTTP unless its keeper gave it a certificate.
    endpoint = parse_endpoint(node, declared.problems, http_anywhere=True)
    if endpoint is None:
        raise TypeError("expected an endpoint")
    return OBShellConnection(
        name=declared.name,
        place=declared.place,
        endpoint=endpoint,
        user=optional_text(node, "user") or "root",
        password=declared.secrets.optional(node, "password") or Secret(""),
        agent_password=declared.secrets.optional(node, "agentPassword"),
        realm=parse_realm(node, endpoint),
        limits=_limits(node),
    )


def _limits(connection: MapNode) -> Limits:
    node, defaults = optional_mapping(connection, "limits"), Limits()
    if node is None:
        return defaults
    return Limits(
        read_qps=number(node, "readQps", defaults.read_qps),
        write_qps=number(node, "writeQps", defaults.write_qps),
        daily_calls=integer(node, "dailyCalls", defaults.daily_calls),
    )


def _skew_seconds(node: MapNode) -> int:
    return int(duration(node, "clockSkew", dt.timedelta(seconds=60)).total_seconds())


def _lag_seconds(node: MapNode) -> int:
    return int(duration(node, "listingLag", dt.timedelta(seconds=180)).total_seconds())


def _project_id(node: MapNode) -> str | None:
    found = node.get("projectId")
    return None if found is None else str(int(value_text(scalar(found))))


def _timezone(node: MapNode, problems: Problems) -> str:
    found = node.get("timezone")
    if found is None:
        return DEFAULT_ZONE
    name = value_text(scalar(found))
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        _note_timezone(scalar(found), problems)
        return DEFAULT_ZONE
    return name


def _note_timezone(node: ScalarNode, problems: Problems) -> None:
    problems.error(
        node,
        "unknown_timezone",
        f"there is no time zone {quoted(node.text)}",
        hint=suggestion(node.text, zoneinfo.available_timezones())
        or f"for example {DEFAULT_ZONE}",
    )
