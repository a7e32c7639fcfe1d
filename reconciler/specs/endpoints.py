"""Where a connection leads: a URL, or the embedded simulator with its settings."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from reconciler.documents import MapNode, Problems, ScalarNode
from reconciler.model.project import SimulatorEndpoint
from reconciler.model.series import Realm
from reconciler.specs.fields import optional_mapping, optional_text, scalar, value_text
from reconciler.specs.finding import parse_pattern

_SIMULATOR = "simulator"


def parse_endpoint(
    node: MapNode, problems: Problems, *, http_anywhere: bool = False
) -> str | SimulatorEndpoint | None:
    """The endpoint of a connection; None where it names none.

    Args:
        node: The connection's fields, which fit the schema.
        problems: Takes everything that is wrong.
        http_anywhere: Whether http may leave this machine, as for a system that speaks nothing else.
    """
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
    return _url(scalar(found), problems, http_anywhere=http_anywhere)


def parse_url(node: MapNode, key: str, problems: Problems) -> str | None:
    """The URL of a second service at `key`; None where it names none."""
    found = node.get(key)
    return None if found is None else _url(scalar(found), problems, http_anywhere=False)


def _url(node: ScalarNode, problems: Problems, *, http_anywhere: bool) -> str:
    url = value_text(node)
    if (reason := _url_problem(url, http_anywhere=http_anywhere)) is not None:
        hint = "write simulator, https://HOST, or http://127.0.0.1:PORT"
        problems.error(
            node,
            "endpoint",
            f"the endpoint {reason}",
            hint="write simulator, http://HOST:PORT or https://HOST:PORT"
            if http_anywhere
            else hint,
        )
    return url.rstrip("/")


def _simulator(settings: MapNode | None, problems: Problems) -> SimulatorEndpoint:
    if settings is None:
        return SimulatorEndpoint()
    world = optional_text(settings, "world")
    if world is not None and isinstance(reason := parse_pattern(world), str):
        problems.error(
            scalar(settings.get("world")),
            "path",
            f"the path of the world file {reason}",
            hint="name a file of the project, for example world.yaml",
        )
    return SimulatorEndpoint(
        world=world, clock=optional_text(settings, "clock") or SimulatorEndpoint().clock
    )


def _url_problem(url: str, *, http_anywhere: bool) -> str | None:
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
    if parts.path.strip("/"):
        return "must not hold a path"
    if parts.query or parts.fragment:
        return "must not hold a query or a fragment"
    if parts.scheme == "http" and not http_anywhere and not _is_loopback(parts):
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


def parse_realm(node: MapNode, endpoint: str | SimulatorEndpoint | None) -> Realm:
    """Which world a connection leads to: what it says, else what follows from its endpoint."""
    said = optional_text(node, "realm")
    if said:
        return Realm(said)
    if isinstance(endpoint, SimulatorEndpoint):
        return Realm.SIMULATOR
    try:
        loopback = endpoint is not None and _is_loopback(urlsplit(endpoint))
    except ValueError:
        loopback = False  # The URL is malformed, which is already noted.
    return Realm.SIMULATOR if loopback else Realm.LIVE
