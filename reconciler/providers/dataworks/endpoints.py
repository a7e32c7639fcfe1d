"""Which host serves a region.

Source: vendor's endpoint list and the endpoint map of its 2020-05-18 SDK (10.1.1), read 2026-11-21.
"""

from __future__ import annotations

import re

from reconciler.model.errors import InvalidRequest
from reconciler.model.project import DataWorksConnection
from reconciler.providers.connecting import endpoint_url

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
    if connection.endpoint is not None:
        return endpoint_url(
            connection.endpoint, connection=connection.name, provider=connection.provider
        )
    if not _REGION.fullmatch(connection.region):
        raise InvalidRequest(
            f"connection {connection.name!r}: {connection.region!r} is not a region",
            provider=connection.provider,
            operation="connect",
            hint="see `region` of the connection in reconciler.yaml",
        )
    return f"https://{region_host(connection.region)}"
