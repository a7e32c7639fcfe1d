"""Answers as JSON or XML, in the envelopes of the service's operation families."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from reconciler.simulator.dataworks.signatures import form, uses_acs3
from reconciler.simulator.errors import GatewayError, ServiceRefusal
from reconciler.simulator.messages import JSON_TYPE, Answer, Request

_XML_TYPE = "text/xml;charset=utf-8"


class Family(enum.Enum):
    """The envelopes that operations answer in."""

    DATA = "data"  # 2020-05-18: Success, ErrorCode, ErrorMessage, HttpStatusCode, Data
    BARE = "bare"  # 2020-05-18 manual calls: RequestId beside the payload
    RETURN_CODE = "return code"  # 2018-06-01 CreateManualDag: ReturnCode, ReturnMessage, …
    ERR_CODE = "err code"  # 2018-06-01 SearchManualDagNodeInstance: Success, ErrCode, ErrMsg, Data


def wants_xml(request: Request) -> bool:
    """Whether the answer is XML: by `Format`, which is XML for RPC requests that do not say."""
    if uses_acs3(request):
        return "xml" in request.header("accept").lower()
    try:
        wanted = dict(form(request.query)).get("Format", "XML")
    except GatewayError:
        return True
    return wanted.upper() != "JSON"


def accepted(family: Family, payload: object, request_id: str) -> dict[str, object]:
    """The envelope of a call that was executed.

    `payload` is a mapping of fields for the families that have no `Data`, and the value of `Data` or
    `ReturnValue` for the others.
    """
    match family:
        case Family.DATA:
            return _data_envelope(request_id) | {"Data": payload}
        case Family.BARE:
            return {"RequestId": request_id, **_fields(payload)}
        case Family.RETURN_CODE:
            return {
                "RequestId": request_id,
                "ReturnCode": "0",
                "ReturnErrorSolution": "",
                "ReturnMessage": "",
                "ReturnValue": payload,
            }
        case Family.ERR_CODE:
            return _err_envelope(request_id, "0", "") | {"Data": payload}


def refused(family: Family, refusal: ServiceRefusal, request_id: str) -> dict[str, object]:
    """The envelope of a call that the service refused.

    Raises:
        GatewayError: The family has no place for a refusal.
    """
    match family:
        case Family.DATA:
            return _data_envelope(request_id) | {
                "Success": False,
                "ErrorCode": refusal.code,
                "ErrorMessage": refusal.message,
            }
        case Family.BARE:
            raise GatewayError(400, refusal.code, refusal.message) from refusal
        case Family.RETURN_CODE:
            return {
                "RequestId": request_id,
                "ReturnCode": refusal.code,
                "ReturnErrorSolution": "",
                "ReturnMessage": refusal.message,
            }
        case Family.ERR_CODE:
            return _err_envelope(request_id, refusal.code, refusal.message)


def gateway_refusal(error: GatewayError, request: Request, request_id: str) -> dict[str, object]:
    """The body of an answer with an HTTP error status."""
    return {
        "Code": error.code,
        "Message": error.message,
        "RequestId": request_id,
        "HostId": request.header("host"),
        "Recommend": f"https://next.api.aliyun.com/troubleshoot?q={error.code}",
    }


def answer(status: int, value: Mapping[str, object], *, xml_root: str | None) -> Answer:
    """Write an envelope: as XML below the element `xml_root`, or as JSON when that is None."""
    request_id = str(value["RequestId"])
    if xml_root is None:
        text, content_type = json.dumps(value, ensure_ascii=False), JSON_TYPE
    else:
        inner = "".join(_elements(value))
        text = f"<?xml version='1.0' encoding='UTF-8'?><{xml_root}>{inner}</{xml_root}>"
        content_type = _XML_TYPE
    return Answer(
        status=status,
        content_type=content_type,
        body=text.encode(),
        headers=(("x-acs-request-id", request_id),),
    )


def _data_envelope(request_id: str) -> dict[str, object]:
    return {
        "RequestId": request_id,
        "HttpStatusCode": 200,
        "Success": True,
        "ErrorCode": "",
        "ErrorMessage": "",
    }


def _err_envelope(request_id: str, code: str, message: str) -> dict[str, object]:
    return {"RequestId": request_id, "Success": code == "0", "ErrCode": code, "ErrMsg": message}


def _fields(payload: object) -> Mapping[str, object]:
    if not isinstance(payload, Mapping):
        raise TypeError(f"an operation without Data answers with fields, not with {payload!r}")
    return payload


def _elements(value: Mapping[str, object]) -> Iterator[str]:
    """XML elements of fields; a list is its element once for each item."""
    for name, item in value.items():
        for one in item if isinstance(item, list) else [item]:
            yield f"<{name}>{_content(one)}</{name}>"


def _content(value: object) -> str:
    match value:
        case Mapping():
            return "".join(_elements(value))
        case bool():
            return str(value).lower()
        case None:
            return ""
        case _:
            # XML 1.0 has no way to write most control characters.
            return escape("".join(c for c in str(value) if c >= " " or c in "\t\n\r"))
