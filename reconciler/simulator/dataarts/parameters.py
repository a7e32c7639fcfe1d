"""Values in a query or a JSON body, refused with the service's codes.

DLF.3051 says that a parameter is invalid (Huawei's public documentation). A JSON null counts as
absent, and so does an empty text in a query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from reconciler.simulator.errors import GatewayError, ServiceRefusal

_MOST_FIELDS = 200
_NUMBER = re.compile(r"([0-9]{1,18})(?:\.0*)?")
_FLAGS = {"true": True, "false": False}


def invalid(name: str, reason: str) -> ServiceRefusal:
    """A parameter has a value that cannot be."""
    return ServiceRefusal("DLF.3051", f"The parameter {name} is invalid: {reason}.")


def absent(name: str) -> GatewayError:
    """A required header or parameter is not there."""
    return GatewayError(400, "APIG.0106", f"Orchestration error: {name} is required.")


def query_pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of a query, in their order.

    Raises:
        ValueError: It has too many.
    """
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)


@dataclass(frozen=True, slots=True)
class Query:
    """Reads the parameters of a query."""

    texts: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> Query:
        """The parameters of a raw query; of a repeated one the last value."""
        try:
            return cls(dict(query_pairs(text)))
        except ValueError as err:
            raise invalid("query", "it cannot be read") from err

    def optional(self, name: str) -> str | None:
        """A text, or None."""
        return self.texts.get(name) or None

    def required(self, name: str) -> str:
        """A text that has to be there.

        Raises:
            GatewayError: It is absent: APIG.0106.
        """
        value = self.optional(name)
        if value is None:
            raise absent(name)
        return value

    def number(self, name: str, *, default: int, low: int = 0, high: int = 10**15) -> int:
        """A whole number between two bounds, both inclusive.

        `1705248000000.0` is one: the SDK writes so what it was given as a float.
        """
        text = self.optional(name)
        if text is None:
            return default
        match = _NUMBER.fullmatch(text)
        if match is None or not low <= int(match[1]) <= high:
            raise invalid(name, f"a whole number from {low} to {high} is expected")
        return int(match[1])

    def flag(self, name: str) -> bool:
        """A truth value in any case; false when it is absent."""
        text = self.optional(name) or "false"
        if text.lower() not in _FLAGS:
            raise invalid(name, "true or false is expected")
        return _FLAGS[text.lower()]

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of several words, or None."""
        value, allowed = self.optional(name), tuple(choices)
        if value is not None and value not in allowed:
            raise invalid(name, f"one of {', '.join(allowed)} is expected")
        return value


@dataclass(frozen=True, slots=True)
class Fields:
    """Reads the fields of a JSON object."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, body: bytes) -> Fields:
        """The fields of a JSON body; none when it is empty."""
        if not body:
            return cls({})
        try:
            value = json.loads(body)
            # An escape may stand for half a character, which nothing can store.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as err:
            raise invalid("body", "a JSON object is expected") from err
        if not isinstance(value, dict):
            raise invalid("body", "a JSON object is expected")
        return cls(value)

    def texts(self) -> dict[str, str]:
        """The fields as texts, for the ledger: texts as they are, anything else as JSON."""
        return {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.values.items()
        }

    def text(self, name: str) -> str:
        """A text that has to be there, and not empty."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise invalid(name, "text is expected")
        return value

    def integer(self, name: str, *, low: int, high: int, default: int | None = None) -> int:
        """A whole number between two bounds; required when there is no default."""
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise invalid(name, f"a whole number from {low} to {high} is expected")
        return value

    def flag(self, name: str) -> bool:
        """A truth value; false when it is absent."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(name, "true or false is expected")
        return bool(value)

    def text_flag(self, name: str) -> bool:
        """A truth value written as text; false when it is absent."""
        value = self.values.get(name)
        if value is None:
            return False
        if not isinstance(value, str) or value not in _FLAGS:
            raise invalid(name, 'the text "true" or "false" is expected')
        return _FLAGS[value]

    def objects(self, name: str) -> list[Fields]:
        """A list of objects; empty when it is absent."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise invalid(name, "a list of objects is expected")
        return [Fields(item) for item in value]
