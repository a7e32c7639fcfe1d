"""Reading fields out of foreign JSON: both spellings of a key, both spellings of a number.

Every reader raises `BadAnswer` for what it cannot read; `None` means that the field is absent, null or
empty text.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from reconciler.providers.http import printable

_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 9999
#: The latest moment we take for one: 9999-01-01, in milliseconds.
_LATEST_MILLISECONDS = 253_370_764_800_000


class BadAnswer(Exception):
    """The answer does not fit the documented shape; the text says where."""


class Fields:
    """A JSON object whose keys may be PascalCase (SDKs) or lowerCamel (samples)."""

    def __init__(self, raw: Mapping[str, object], where: str) -> None:
        """Wrap `raw`; `where` names it in messages."""
        self.raw = raw
        self.where = where

    @classmethod
    def of(cls, value: object, where: str) -> Fields:
        """Wrap a value that must be an object."""
        if not isinstance(value, dict):
            raise BadAnswer(f"{where} is {_shown(value)}, not an object")
        return cls(value, where)

    def has(self, name: str) -> bool:
        """Whether the key is there at all, null or not."""
        return name in self.raw or name[0].lower() + name[1:] in self.raw

    def get(self, name: str) -> object:
        """The value under a PascalCase key or its lowerCamel twin; None when absent, null or empty."""
        value = self.raw.get(name)
        if value is None:
            value = self.raw.get(name[0].lower() + name[1:])
        return None if value == "" else value

    def text(self, name: str) -> str | None:
        """Text; a number is taken as its digits."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            # JSON may smuggle in half characters, which no file or terminal takes.
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise self._bad(name, value, "text")

    def integer(self, name: str) -> int | None:
        """A whole number, or text of one."""
        value = self.get(name)
        if value is None:
            return None
        number = as_integer(value)
        if number is None:
            raise self._bad(name, value, "a whole number")
        return number

    def identifier(self, name: str) -> str | None:
        """A positive whole number, as text; 0 stands for "none"."""
        number = self.integer(name)
        if number is not None and number < 0:
            raise self._bad(name, number, "an id")
        return str(number) if number else None

    def required_identifier(self, name: str) -> str:
        """A positive whole number, as text, that must be there."""
        found = self.identifier(name)
        if found is None:
            raise BadAnswer(f"{self.where} has no {name}")
        return found

    def flag(self, name: str) -> bool | None:
        """A boolean, or text of one in any case."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        raise self._bad(name, value, "true or false")

    def moment(self, name: str, zone: ZoneInfo) -> dt.datetime | None:
        """A time: epoch milliseconds (number or text), or local `yyyy-MM-dd HH:mm:ss`; 0 is "none"."""
        value = self.get(name)
        if value is None:
            return None
        milliseconds = as_integer(value)
        if milliseconds is not None and 0 <= milliseconds <= _LATEST_MILLISECONDS:
            moment = dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.UTC).astimezone(zone)
            return moment if moment.year > _EARLIEST_YEAR else None
        if isinstance(value, str) and _LOCAL_TIME.fullmatch(value):
            try:
                moment = dt.datetime.fromisoformat(value).replace(tzinfo=zone)
            except ValueError:
                raise self._bad(name, value, "a time") from None
            # Placeholders such as 0001-01-01 say "none", like 0 does.
            return moment if _EARLIEST_YEAR < moment.year < _LATEST_YEAR else None
        raise self._bad(name, value, "a time")

    def objects(self, name: str) -> tuple[Fields, ...]:
        """A list of objects; a single object is taken as a list of one, null or absent as empty."""
        value = self.get(name)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        return tuple(
            Fields.of(item, f"{self.where}.{name}[{place}]") for place, item in enumerate(items)
        )

    def child(self, name: str) -> Fields:
        """An object that must be there."""
        return Fields.of(self.get(name), f"{self.where}.{name}")

    def _bad(self, name: str, value: object, wanted: str) -> BadAnswer:
        return BadAnswer(f"{self.where}.{name} is {_shown(value)}, not {wanted}")


def as_integer(value: object) -> int | None:
    """A JSON number without fraction, or text of one, as int; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return None


def parse_object(body: bytes, where: str) -> Fields:
    """Read an answer's body.

    Raises:
        BadAnswer: It is not one JSON object in UTF-8.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        # UnicodeDecodeError and JSONDecodeError are ValueErrors; deep nesting is a RecursionError.
        raise BadAnswer(f"{where} is not JSON: {_shown(body[:80])}") from None
    return Fields.of(value, where)


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return "null" if value is None else printable(repr(value), limit=80)
