"""Connections of the project file."""

from __future__ import annotations

import datetime as dt
import ipaddress
import zoneinfo
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from reconciler.documents import MapNode, Node, Problems, ScalarNode, quoted, suggestion
from reconciler.documents.source import Positioned, Source
from reconciler.model.diagnostics import Place
from reconciler.model.project import (
    Credentials,
    DataWorksConnection,
    DefaultCredentials,
    EnvCredentials,
    Limits,
    ProfileCredentials,
    Secret,
    SimulatorEndpoint,
    StaticCredentials,
    UnsetVariable,
)
from reconciler.model.series import Realm
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
from reconciler.specs.finding import parse_pattern

_SIMULATOR = "simulator"


def parse_connection(
    name: str,
    at: Positioned,
    node: MapNode,
    unset: Mapping[Place, UnsetVariable],
    problems: Problems,
) -> DataWorksConnection:
    """Build a DataWorks connection from a node that fits the schema.

    Args:
        name: What it is called.
        at: The place of its name.
        node: Its fields.
        unset: The variables that secret fields lack, by the place of the field.
        problems: Takes everything that is wrong.
    """
    endpoint = _endpoint(node, problems)
    realm = optional_text(node, "realm")
    limits = optional_mapping(node, "limits")
    markers = node.get("markers")
    defaults = Limits()
    return DataWorksConnection(
        name=name,
        place=problems.source.place(at),
        region=text(node, "region"),
        project=optional_text(node, "project"),
        project_id=_project_id(node),
        environment=optional_text(node, "environment") or "PROD",
        timezone=_timezone(node, problems),
        credentials=_credentials(optional_mapping(node, "credentials"), unset, problems.source),
        endpoint=endpoint,
        realm=Realm(realm) if realm else _realm(endpoint),
        limits=Limits(
            read_qps=number(limits, "readQps", defaults.read_qps),
            write_qps=number(limits, "writeQps", defaults.write_qps),
            daily_calls=integer(limits, "dailyCalls", defaults.daily_calls),
        )
        if limits
        else defaults,
        skew_seconds=int(duration(node, "clockSkew", dt.timedelta(seconds=60)).total_seconds()),
        lag_seconds=int(duration(node, "listingLag", dt.timedelta(seconds=180)).total_seconds()),
        markers=markers is not None and scalar(markers).value is True,
    )


def _project_id(node: MapNode) -> str | None:
    found = node.get("projectId")
    return None if found is None else str(int(value_text(scalar(found))))


def _endpoint(node: MapNode, problems: Problems) -> str | SimulatorEndpoint | None:
    settings = optional_mapping(node, "simulator")
    found = node.get("endpoint")
    if settings is not None and (found is None or scalar(found).value != _SIMULATOR):
        problems.error(
            node.keys["simulator"],
            "endpoint",
            "`simulator` has settings, but the endpoint is not the simulator",
            hint="add `endpoint: simulator`, or remove the settings",
        )
    if found is None:
        return None
    if scalar(found).value == _SIMULATOR:
        return _simulator(settings, problems)
    url = value_text(scalar(found))
    if (reason := _url_problem(url)) is not None:
        problems.error(
            scalar(found),
            "endpoint",
            f"the endpoint {reason}",
            hint="write simulator, https://HOST, or http://127.0.0.1:PORT",
        )
    return url.rstrip("/")


def _simulator(settings: MapNode | None, problems: Problems) -> SimulatorEndpoint:
    if settings is None:
        return SimulatorEndpoint()
    world = optional_text(settings, "world")
    if world is not None and isinstance(reason := parse_pattern(world), str):
        problems.error(
            scalar(settings.get("world")), "path", f"the path of the world file {reason}"
        )
    return SimulatorEndpoint(
        world=world, clock=optional_text(settings, "clock") or SimulatorEndpoint().clock
    )


def _url_problem(url: str) -> str | None:
    """What is wrong with an endpoint's URL, without quoting it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "is not an http or https URL"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password"
    if parts.query or parts.fragment:
        return "must not hold a query or a fragment"
    if parts.scheme == "http" and not _is_loopback(parts):
        return "must be https: http is for loopback addresses only"
    return None


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _realm(endpoint: str | SimulatorEndpoint | None) -> Realm:
    if isinstance(endpoint, SimulatorEndpoint):
        return Realm.SIMULATOR
    try:
        loopback = endpoint is not None and _is_loopback(urlsplit(endpoint))
    except ValueError:
        loopback = False  # The URL is malformed, which is already noted.
    return Realm.SIMULATOR if loopback else Realm.LIVE


def _timezone(node: MapNode, problems: Problems) -> str:
    found = node.get("timezone")
    if found is None:
        return "Asia/Shanghai"
    name = value_text(scalar(found))
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        _note_timezone(scalar(found), problems)
        return "Asia/Shanghai"
    return name


def _note_timezone(node: ScalarNode, problems: Problems) -> None:
    problems.error(
        node,
        "unknown_timezone",
        f"there is no time zone {quoted(node.text)}",
        hint=suggestion(node.text, zoneinfo.available_timezones()) or "for example Asia/Shanghai",
    )


def _credentials(
    node: MapNode | None, unset: Mapping[Place, UnsetVariable], source: Source
) -> Credentials:
    if node is None:
        return DefaultCredentials()
    match text(node, "source"):
        case "env":
            return EnvCredentials()
        case "profile":
            return ProfileCredentials(text(node, "name"))
        case "static":
            token = node.get("securityToken")
            return StaticCredentials(
                access_key_id=_secret(node.get("accessKeyId"), unset, source),
                access_key_secret=_secret(node.get("accessKeySecret"), unset, source),
                security_token=None if token is None else _secret(token, unset, source),
            )
        case _:
            return DefaultCredentials()


def _secret(node: Node | None, unset: Mapping[Place, UnsetVariable], source: Source) -> Secret:
    found = scalar(node)
    variable = unset.get(source.place(found))
    return Secret(value_text(found)) if variable is None else Secret.missing(variable)
