"""The official SDKs of DataArts, unmodified, against a served simulator.

Imported without a home folder: they would write an id of this machine there. Clients get keys and a
User-Agent of their own, so that they look neither for credentials nor for that id.
"""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.simulator import AccessKey
from tests.simulator.serving import Served

with pytest.MonkeyPatch.context() as _patch:
    _patch.delenv("HOME", raising=False)
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import (
        ConnectionException as SdkConnectionException,
    )
    from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkcore.region.region import Region
    from huaweicloudsdkdataartsstudio import v1 as studio
    from huaweicloudsdkdgc import v1 as dgc

__all__ = [
    "SdkConnectionException",
    "ServiceResponseException",
    "dgc",
    "dgc_client",
    "studio",
    "studio_client",
]

PROJECT = "0123456789abcdef0123456789abcdef"


def studio_client(
    served: Served, *, key: AccessKey | None = None, region: str | None = None
) -> Any:
    """A `DataArtsStudioClient`; with a region it asks IAM for the project's id."""
    return _client(studio.DataArtsStudioClient, served, key or served.key, region)


def dgc_client(served: Served, *, key: AccessKey | None = None) -> Any:
    """A `DgcClient`."""
    return _client(dgc.DgcClient, served, key or served.key, None)


def _client(kind: Any, served: Served, key: AccessKey, region: str | None) -> Any:
    credentials = BasicCredentials(key.id, key.secret, None if region else PROJECT)
    config = HttpConfig.get_default_config()
    config.user_agent = "reconciler-tests"
    builder = kind.new_builder().with_http_config(config)
    if region is None:
        return builder.with_credentials(credentials).with_endpoint(served.url).build()
    credentials = credentials.with_iam_endpoint(served.url)
    return builder.with_credentials(credentials).with_region(Region(region, served.url)).build()
