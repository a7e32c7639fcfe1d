"""Which host serves a region.

Source: vendor's endpoint list and the endpoint map of its 2020-05-18 SDK (10.1.1), read 2026-11-21.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from reconciler.model.errors import InvalidRequest
from reconciler.model.project import DataWorksConnection, SimulatorEndpoint

#: Where the embedded simulator is addressed; no request to it leaves the process.
EMBEDDED_URL = "http://simulator.invalid"

_CENTRAL_HOST = "dataworks.aliyuncs.com"

_REGIONS_WITH_HOST = frozenset(
    (
        *("cn-beijing", "cn-zhangjiakou", "cn-wulanchabu", "cn-hangzhou", "cn-shanghai"),
        *("cn-shenzhen", "cn-chengdu", "cn-hongkong"),
        *("ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-7"),
        *("ap-northeast-1", "ap-northeast-2"),
        *("us-east-1", "us-west-1", "eu-central-1", "eu-west-1", "me-east-1", "me-central-1"),
        *("cn-shanghai-finance-1", "cn-shenzhen-finance-1", "cn-beijing-finance-1"),
        "cn-north-2-gov-1",
    )
)

_REGION = re.compile(r"[a-z0-9-]+", re.ASCII)


def region_host(region: str) -> str:
    """The public host of a region; regions without one of their own are served centrally."""
    return f"dataworks.{region}.aliyuncs.com" if region in _REGIONS_WITH_HOST else _CENTRAL_HOST


def base_url(connection: DataWorksConnection) -> str:
    """Scheme and host (with port) that a connection's requests go to, without a trailing slash.

    Raises:
        InvalidRequest: The region or endpoint is malformed.
    """
    match connection.endpoint:
        case SimulatorEndpoint():
            return EMBEDDED_URL
        case None:
            if not _REGION.fullmatch(connection.region):
                raise _unusable(connection, f"{connection.region!r} is not a region")
            return f"https://{region_host(connection.region)}"
        case str() as endpoint:
            url = urlsplit(endpoint)
            if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
                # The text is not repeated: it may hold a password.
                raise _unusable(connection, "its endpoint is not a plain http or https URL")
            return f"{url.scheme}://{url.netloc}"


def _unusable(connection: DataWorksConnection, why: str) -> InvalidRequest:
    return InvalidRequest(
        f"connection {connection.name!r}: {why}",
        provider="dataworks",
        operation="connect",
        hint="See `region` and `endpoint` of the connection in reconciler.yaml.",
    )
