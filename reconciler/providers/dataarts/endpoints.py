"""Which hosts serve a connection: the API lives on two, and tokens come from a third.

Source: default hosts of huaweicloudsdkdataartsstudio and huaweicloudsdkdgc 3.1.219; a field report
(2026-07) found the v1 job paths unpublished on the host of v2, so neither stands in for the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from reconciler.model.errors import InvalidRequest
from reconciler.model.project import DataArtsConnection, SimulatorEndpoint

#: Where the embedded simulator is addressed; no request to it leaves the process.
EMBEDDED_URL = "http://simulator.invalid"

_DOMAIN = "myhuaweicloud.com"

_REGION = re.compile(r"[a-z0-9-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Scheme and host (with port), without a trailing slash.

    `studio` serves the catalog (v1) and Factory v2, `factory` Factory v1, `iam` issues tokens.
    """

    studio: str
    factory: str
    iam: str


def connection_hosts(connection: DataArtsConnection, base_url: str | None = None) -> Hosts:
    """The hosts that a connection's requests go to; `base_url` stands in for the endpoint.

    An endpoint replaces all three, but for an `iam_endpoint` that is given.

    Raises:
        InvalidRequest: The region or an endpoint is malformed.
    """
    one = base_url or _endpoint(connection)
    given = connection.iam_endpoint
    iam = None if given is None else _plain_url(connection, given, "iamEndpoint")
    if isinstance(connection.endpoint, SimulatorEndpoint):
        iam = None
    if one is not None:
        one = one.rstrip("/")
        return Hosts(studio=one, factory=one, iam=iam or one)
    region = connection.region
    if not _REGION.fullmatch(region):
        raise _unusable(connection, f"{region!r} is not a region")
    return Hosts(
        studio=f"https://dayu.{region}.{_DOMAIN}",
        factory=f"https://dayu-dlf.{region}.{_DOMAIN}",
        iam=iam or f"https://iam.{region}.{_DOMAIN}",
    )


def _endpoint(connection: DataArtsConnection) -> str | None:
    match connection.endpoint:
        case SimulatorEndpoint():
            return EMBEDDED_URL
        case None:
            return None
        case str() as endpoint:
            return _plain_url(connection, endpoint, "endpoint")


def _plain_url(connection: DataArtsConnection, text: str, field: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
        # The text is not repeated: it may hold a password.
        raise _unusable(connection, f"its {field} is not a plain http or https URL")
    return f"{url.scheme}://{url.netloc}"


def _unusable(connection: DataArtsConnection, why: str) -> InvalidRequest:
    return InvalidRequest(
        f"connection {connection.name!r}: {why}",
        provider="dataarts",
        operation="connect",
        hint="See `region`, `endpoint` and `iamEndpoint` of the connection in reconciler.yaml.",
    )
