"""The JSON Schemas that ship with the product, one per kind of file (`KIND.schema.json`).

In an installed package they lie in `reconciler/schemas/`; in a checkout in `schemas/` beside it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

_SUFFIX = ".schema.json"


@functools.cache
def _folder() -> Traversable:
    packaged = resources.files("reconciler") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "schemas"


@functools.cache
def schema_kinds() -> tuple[str, ...]:
    """The kinds there is a schema for, sorted: `backfill`, `gate`, …."""
    return tuple(
        sorted(
            item.name.removesuffix(_SUFFIX)
            for item in _folder().iterdir()
            if item.name.endswith(_SUFFIX)
        )
    )


def read_schema_text(kind: str) -> str:
    """The schema of `kind` as it is shipped.

    Raises:
        LookupError: There is none.
    """
    if kind not in schema_kinds():
        raise LookupError(f"there is no schema for {kind!r}; known: {', '.join(schema_kinds())}")
    return (_folder() / f"{kind}{_SUFFIX}").read_text(encoding="utf-8")


@functools.cache
def read_schema(kind: str) -> Mapping[str, object]:
    """The schema of `kind`, parsed; callers share it and must not change it.

    Raises:
        LookupError: There is none.
    """
    return MappingProxyType(json.loads(read_schema_text(kind)))
