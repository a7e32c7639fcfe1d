"""Which hosts serve a connection: the API lives on two, and tokens come from a third.

Source: default hosts of huaweicloudsdkdataartsstudio and huaweicloudsdkdgc 3.1.219; a field report
(2026-07) found the v1 job paths unpublished on the host of v2, so neither stands in for the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.model.errors import InvalidRequest
from reconciler.model.project import DataArtsConnection, SimulatorEndpoint
from reconciler.providers.connecting import endpoint_url

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
    one = base_url or _url(connection, connection.endpoint, "endpoint")
    iam = _url(connection, connection.iam_endpoint, "iamEndpoint")
    if isinstance(connection.endpoint, SimulatorEndpoint):
        iam = None
    if one is not None:
        one = one.rstrip("/")
        return Hosts(studio=one, factory=one, iam=iam or one)
    region = connection.region
    if not _REGION.fullmatch(region):
        raise InvalidRequest(
            f"connection {connection.name!r}: {region!r} is not a region",
            provider=connection.provider,
            operation="connect",
            hint="see `region` of the connection in reconciler.yaml",
        )
    return Hosts(
        studio=f"https://dayu.{region}.{_DOMAIN}",
        factory=f"https://dayu-dlf.{region}.{_DOMAIN}",
        iam=iam or f"https://iam.{region}.{_DOMAIN}",
    )


def _url(
    connection: DataArtsConnection, endpoint: str | SimulatorEndpoint | None, field: str
) -> str | None:
    if endpoint is None:
        return None
    return endpoint_url(
        endpoint, connection=connection.name, provider=connection.provider, field=field
    )
