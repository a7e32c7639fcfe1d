"""The vendors' own clients, unmodified, behind one call.

Importing them makes warnings; whoever imports this module has to expect that.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from alibabacloud_dataworks_public20180601 import models as models_2018
from alibabacloud_dataworks_public20180601.client import Client as Client2018
from alibabacloud_dataworks_public20200518 import models as models_2020
from alibabacloud_dataworks_public20200518.client import Client as Client2020
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from reconciler.simulator import AccessKey


class Refused(Exception):
    """The gateway refused a call; `code` is the vendor's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Client(Protocol):
    """One official client: an operation and its wire-named parameters to the decoded answer."""

    def __call__(
        self, version: str, action: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tea:
    """The generated Tea clients, with typed requests and answers."""

    port: int
    key: AccessKey
    algorithm: str | None
    token: str | None = None

    def __call__(self, version: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        config = Config(
            access_key_id=self.key.id,
            access_key_secret=self.key.secret,
            security_token=self.token,
            region_id="cn-shanghai",
            endpoint=f"127.0.0.1:{self.port}",
            protocol="HTTP",
            signature_algorithm=self.algorithm,
        )
        old = version == "2018-06-01"
        client = Client2018(config) if old else Client2020(config)
        request = getattr(models_2018 if old else models_2020, f"{action}Request")()
        request.from_map(dict(parameters))
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action)
        try:
            answer: dict[str, Any] = getattr(client, words.lstrip("_"))(request).body.to_map()
        except ClientException as err:
            raise Refused(err.code) from err
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Classic:
    """The older core SDK, with common requests for every operation."""

    port: int
    key: AccessKey
    token: str | None = None

    def client(self) -> Any:
        credential = (
            StsTokenCredential(self.key.id, self.key.secret, self.token)
            if self.token
            else AccessKeyCredential(self.key.id, self.key.secret)
        )
        return AcsClient(region_id="cn-shanghai", credential=credential, port=self.port)

    def send(self, request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self.client().do_action_with_exception(request))
        except ServerException as err:
            raise Refused(err.get_error_code()) from err
        return answer

    def __call__(self, version: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        request = CommonRequest(
            domain="127.0.0.1", version=version, action_name=action, product="dataworks-public"
        )
        request.set_method("POST")
        request.set_protocol_type("http")
        for name, value in parameters.items():
            request.add_query_param(name, value)
        return self.send(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicTyped(Classic):
    """The older SDK with its typed requests, which send parameters in the body; 2020 only."""

    def __call__(self, version: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if version != "2020-05-18":
            return Classic.__call__(self, version, action, parameters)
        package = "aliyunsdkdataworks_public.request.v20200518"
        module = importlib.import_module(f"{package}.{action}Request")
        request = getattr(module, f"{action}Request")()
        request.set_protocol_type("http")
        request.set_endpoint("127.0.0.1")
        for name, value in parameters.items():
            getattr(request, f"set_{name}")(value)
        return self.send(request)


MAKERS: Mapping[str, Callable[..., Client]] = {
    "tea-acs3": lambda **more: Tea(algorithm=None, **more),
    "tea-v2": lambda **more: Tea(algorithm="v2", **more),
    "classic": Classic,
    "classic-typed": ClassicTyped,
}
