"""What crosses the port: one request in, one reply out, in plain values that no server owns."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

JSON_TYPE = "application/json;charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it arrived.

    `path` and `query` are the raw text of the request line (percent-encoded; `query` without the
    question mark). `headers` has lower-case names; of a name sent twice the last value counts.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    from_loopback: bool = True

    def header(self, name: str) -> str:
        """The value of the header `name` (lower case), or the empty text."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Delivery(enum.Enum):
    """What becomes of an answer on its way back."""

    WHOLE = "whole"
    DROPPED = "dropped"  # the connection closes without a byte
    CUT = "cut"  # the connection closes in the middle of the body


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, and how and when it is delivered."""

    answer: Answer
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0.0


def json_answer(status: int, value: object) -> Answer:
    """`value` as a JSON answer."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status=status, content_type=JSON_TYPE, body=body)
