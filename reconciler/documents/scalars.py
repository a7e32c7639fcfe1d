"""What a scalar means: YAML 1.2 core, less the parts that surprise.

true and false, null, decimal integers and finite floats; everything else is text. So `no`, `12:30`,
`0x1F`, `2020-05-20` and `.inf` are texts.
"""

from __future__ import annotations

import math
import re

from reconciler.documents.nodes import ScalarValue

_WORDS: dict[str, ScalarValue] = {
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NUMBER_STARTS = frozenset("+-.0123456789")
#: Longer ones are text: no field takes such a number, and converting it costs more than it is worth.
_LONGEST_NUMBER = 40


def resolve(text: str) -> ScalarValue:
    """The meaning of a plain (unquoted) scalar."""
    if text[:1] in _NUMBER_STARTS and len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
            return number
        return text
    return _WORDS.get(text, text)
