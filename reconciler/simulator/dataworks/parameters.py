"""Action parameters: from text to values, refused with the gateway's codes."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reconciler.simulator.dataworks.signatures import body_form, form, uses_acs3
from reconciler.simulator.errors import invalid, missing
from reconciler.simulator.messages import Request

ZONE = ZoneInfo("Asia/Shanghai")
"""The zone in which business dates begin: the one of the mainland regions."""

_COMMON = frozenset(
    {
        "AccessKeyId",
        "Action",
        "Format",
        "RegionId",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "Timestamp",
        "Version",
    }
)
_LARGEST = 2**63 - 1
_ENVIRONMENTS = ("PROD", "DEV")


def action_parameters(request: Request) -> dict[str, str]:
    """The action's own parameters, from query and form body; the body wins."""
    fields = dict(form(request.query) + body_form(request))
    common = frozenset[str]() if uses_acs3(request) else _COMMON
    return {name: value for name, value in fields.items() if name not in common}


def midnight_ms(date: dt.date) -> int:
    """A business date as the service writes it: its local midnight, in epoch milliseconds."""
    midnight = dt.datetime.combine(date, dt.time(), tzinfo=ZONE)
    return int(midnight.timestamp()) * 1000


def civil_date(moment_ms: int) -> dt.date:
    """The local day of a moment in epoch milliseconds."""
    return dt.datetime.fromtimestamp(moment_ms / 1000, ZONE).date()


@dataclass(frozen=True, slots=True)
class Parameters:
    """Reads action parameters. Each method refuses what the type or bounds do not allow.

    A parameter that is empty counts as absent.
    """

    texts: Mapping[str, str]

    def text(self, name: str) -> str:
        """A required text."""
        value = self.texts.get(name, "")
        if not value:
            raise missing(name)
        return value

    def optional(self, name: str) -> str | None:
        """A text, or None."""
        return self.texts.get(name) or None

    def integer(self, name: str) -> int:
        """A required id, from 1."""
        self.text(name)
        return self.bounded(name, default=0, low=1, high=_LARGEST)

    def optional_integer(self, name: str) -> int | None:
        """An id, or None."""
        return self.integer(name) if self.texts.get(name) else None

    def bounded(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number between two bounds, both inclusive."""
        text = self.texts.get(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,19}", text) or not low <= int(text) <= high:
            raise invalid(name, f"a whole number from {low} to {high} is expected")
        return int(text)

    def boolean(self, name: str) -> bool:
        """A required truth value, in any case."""
        value = {"true": True, "false": False}.get(self.text(name).lower())
        if value is None:
            raise invalid(name, "true or false is expected")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """One of several words, or None."""
        value = self.optional(name)
        if value is not None and value not in choices:
            raise invalid(name, f"one of {', '.join(choices)} is expected")
        return value

    def environment(self) -> str:
        """The required `ProjectEnv`."""
        self.text("ProjectEnv")
        return self.choice("ProjectEnv", _ENVIRONMENTS) or ""

    def date(self, name: str) -> dt.date:
        """A required business date of this century or the last: `yyyy-MM-dd HH:mm:ss`, at midnight.

        A bare date is refused.
        """
        match = re.fullmatch(r"((?:19|20)\d{2}-\d{2}-\d{2}) 00:00:00", self.text(name))
        try:
            return dt.date.fromisoformat(match[1] if match else "")
        except ValueError as err:
            raise invalid(name, "a date such as 2020-05-20 00:00:00 is expected") from err

    def optional_date(self, name: str) -> dt.date | None:
        """A business date, or None."""
        return self.date(name) if self.texts.get(name) else None

    def hour_window(self, begin: str, end: str) -> tuple[int, ...]:
        """The full hours h with `begin` <= h:00:00 <= `end`; all of them by default."""
        first = self._time(begin, "00:00:00")
        last = self._time(end, "23:59:59")
        if last < first:
            raise invalid(end, f"it lies before {begin}")
        return tuple(hour for hour in range(24) if first <= dt.time(hour) <= last)

    def ids(self, name: str) -> tuple[int, ...]:
        """Node ids separated by commas, each once, in their order; may be empty."""
        text = self.texts.get(name)
        if not text:
            return ()
        parts = [part.strip() for part in text.split(",")]
        if not all(re.fullmatch(r"[0-9]{1,18}", part) for part in parts):
            raise invalid(name, "node ids separated by commas are expected")
        return tuple(dict.fromkeys(map(int, parts)))

    def by_node(self, name: str) -> dict[int, str]:
        """A JSON object of node id → parameter text; may be empty."""
        pairs = self.object(name)
        if not all(re.fullmatch(r"[0-9]{1,18}", key) for key in pairs):
            raise invalid(name, "its keys have to be node ids")
        return {int(key): value for key, value in pairs.items()}

    def object(self, name: str) -> dict[str, str]:
        """A JSON object whose values are text; may be empty."""
        text = self.texts.get(name)
        if not text:
            return {}
        try:
            value = json.loads(text)
            # An escape may stand for half a character, which nothing can store.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as err:
            raise invalid(name, "a JSON object is expected") from err
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise invalid(name, "a JSON object with text values is expected")
        return value

    def _time(self, name: str, default: str) -> dt.time:
        match = re.fullmatch(r"\d{2}:\d{2}:\d{2}", self.texts.get(name) or default)
        try:
            return dt.time.fromisoformat(match[0] if match else "")
        except ValueError as err:
            raise invalid(name, "a time such as 01:00:00 is expected") from err
