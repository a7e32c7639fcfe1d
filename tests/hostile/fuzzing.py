"""Specs that nobody would write, from a seed: bytes, shapes, damaged specs, attacks put into good ones."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.hostile.corpus.specs import CODE, MISLEADING
from tests.unit.specs.spec_files import backfill, gate, job_backfill, manual_flow

_GOOD = (
    backfill(params="{1234: {a: b}}", reruns="[{generation: 2, dates: all, reason: r}]"),
    backfill(dates="{start: 2020-01-01, end: yesterday, rrule: FREQ=MONTHLY;BYMONTHDAY=-1}"),
    backfill(hours='{begin: "00:00:00", end: "01:00:00"}', alerts="{on: both, by: SMS}"),
    backfill(rollout="{canary: 1, maxDatesPerCall: 2}", requires="[gate.g, backfill.b]"),
    manual_flow(params="{flow: {k: v}, nodes: {12: {a: b}}}", variant="x"),
    job_backfill(),
    gate(),
)
_DOCUMENTS = (backfill, manual_flow, job_backfill, gate)
_NAMES = ("a", "[]", "A", "''", "a/b", "\u202e")
_FIELDS = (
    "connection",
    "target",
    "dates",
    "hours",
    "params",
    "reruns",
    "alerts",
    "requires",
    "variant",
    "rollout",
    "onChange",
    "parallelism",
    "obshell",
    "zzz",
)
_SHAPES = (
    "",
    "1",
    "x",
    "[]",
    "{}",
    "[[x]]",
    "prod",
    "{rootNode: []}",
    "{rootNode: 1, includeNodes: [x]}",
    "{flow: []}",
    "{includeNodes: {}, excludeNodes: [1]}",
    "{start: [], end: 9999-12-31}",
    "{end: yesterday}",
    "{last: 10000}",
    "{list: [1, 2020-05-20], except: [x], rrule: y}",
    "{start: 0001-01-01, rrule: FREQ=DAILY, x: 1}",
    "{begin: x}",
    "{end: '01:00:00'}",
    "{1: []}",
    "{1: {a: []}, x: {b: c d}}",
    "{flow: {a: b c}, nodes: []}",
    "[1, {dates: all}]",
    "[{generation: 1, dates: [x, 2020-05-20]}, {reason: r}, {dates: {}}]",
    "{noUnfinished: {}}",
    "{start: 2020-01-01, end: 2020-02-01, rrule: 'FREQ=DAILY;INTERVAL=0'}",
)
_SCRAPS = (
    *"\t\n :[]{}'\"#|>%\x00\u202e\r\xe9\U0001f600\u3164\x1b",
    "- ", "&a ", "*a", "!!str ", "<<: ", "null", "---\n", "...", "${env:A}", "..", "all", "yesterday",
    "2020-13-45", "99999999999999999999", "-1", "1e999", "::error::", "##[error]", "~", "? ", ": ", "",
)  # fmt: skip
_ATTACKS = (*CODE.values(), *MISLEADING.values())
_MOST_EDITS, _LONGEST_CUT = 4, 12


def hostile_spec(seed: str) -> bytes:
    """The content of a spec file, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    made: bytes = chance.choice(_KINDS)(chance)
    return made


def _bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(300))


def _text(chance: random.Random) -> bytes:
    points = (
        chance.choice((0x7F, 0x3000, 0xFFFF, 0x10FFFF)) for _ in range(chance.randrange(150))
    )
    text = "".join(chr(chance.randrange(point)) for point in points)
    return text.encode("utf-8", "surrogatepass")


def _shapes(chance: random.Random) -> bytes:
    fields = {
        chance.choice(_FIELDS): chance.choice(_SHAPES) for _ in range(chance.randrange(1, 6))
    }
    return chance.choice(_DOCUMENTS)(chance.choice(_NAMES), **fields).encode()


def _damaged(chance: random.Random) -> bytes:
    text = chance.choice(_GOOD)
    for _ in range(chance.randrange(1, _MOST_EDITS + 1)):
        start = chance.randrange(len(text) + 1)
        end = start + chance.randrange(_LONGEST_CUT)
        text = text[:start] + chance.choice(_SCRAPS) + text[end:]
    return text.encode("utf-8", "surrogatepass")


def _grafted(chance: random.Random) -> bytes:
    good, attack = chance.choice(_GOOD).encode(), chance.choice(_ATTACKS)
    at, start = chance.randrange(len(good)), chance.randrange(len(attack))
    return good[:at] + attack[start:][:400] + good[at:]


_KINDS: tuple[Callable[[random.Random], bytes], ...] = (_bytes, _text, _shapes, _damaged, _grafted)
