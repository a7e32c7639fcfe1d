"""What a pull request can write into a spec. Threats T5, T6 and T7 of the threat model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.model.diagnostics import has_errors
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.specs import Loaded
from tests.effort import examples
from tests.unit.specs.spec_files import backfill, load, manual_flow

MIB = 1024 * 1024
BOMBS: dict[str, bytes] = {
    "aliases": b"a: &a [x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 120)
    ),
    "recursive alias": b"a: &a [*a]\n",
    "merge bomb": b"a: &a {b: 1}\n" + b"".join(b"k%d: {<<: *a}\n" % n for n in range(1000)),
    "brackets": b"[" * 100_000,
    "braces": b"{" * 100_000,
    "braces with keys": b"{a: " * 100_000,
    "mixed": b"[{a: " * 50_000,
    "dashes": b"- " * 100_000,
    "question marks": b"? " * 100_000,
    "indentation": b"".join(b" " * n + b"a:\n" for n in range(1000)),
    "closed brackets": b"[" * 5000 + b"]" * 5000,
    "brackets, full size": b"[" * MIB,
    "many anchors": b"".join(b"a%d: &x 1\n" % n for n in range(20_000)),
    "many duplicates": b"a: 1\n" * 20_000,
    "many keys": b"".join(b"a%d: 1\n" % n for n in range(40_000)),
    "many values": b"[" + b"1," * 400_000 + b"]",
    "many documents": b"--- 1\n" * 100_000,
    "many spec documents": (backfill(parallelism="99").encode() + b"---\n") * 2000,
    "large scalar": b"a: " + b"x" * 10 * MIB,
    "large scalar below the limit": b"kind: " + b"x" * (MIB - 100),
    "large quoted scalar": b'kind: "' + b"x" * (MIB - 100) + b'"',
    "large block scalar": b"kind: |\n" + b"  x\n" * 200_000,
    "large key": b"kind: Backfill\n" + b"x" * (MIB - 100) + b": 1",
    "large number": b"kind: " + b"9" * (MIB - 100),
    "large comment": b"#" * (MIB - 10) + b"\n[",
    "blank lines": b"\n" * (MIB - 10) + b"[",
    "long line of spaces": b"a:" + b" " * (MIB - 10) + b"[",
    "unclosed quote": b'a: "' + b"x\n" * 400_000,
    "colons": b": " * 400_000,
    "commas": b"[" + b"," * 400_000,
    "percents": b"%" * 100_000,
    "exclamations": b"!" * 100_000,
    "stars": b"*" * 100_000,
    "tags": b"!!python/object/apply:os.system [touch /tmp/owned]",
    "tag of a name": b"!!python/name:os.system",
    "new tag": b"kind: !!python/object/new:subprocess.Popen [[id]]",
    "tag directive": b"%TAG ! tag:yaml.org,2002:python/\n---\n!object:os.system x",
    "verbatim tag": b"!<tag:yaml.org,2002:python/object/apply:os.system> [id]",
    "NUL": b"kind: Backfill\x00",
    "escape sequences": b"kind: \x1b]0;owned\x07",
    "escaped escape sequences": b'kind: "\\e]0;owned\\a"',
    "C1 control": "kind: \x9b31m".encode(),
    "bidi": "kind: Back\u202efill".encode(),
    "bidi in a comment": "# \u2066\nkind: Backfill".encode(),
    "zero width": "kind: Back\u200bfill".encode(),
    "tag characters": "kind: Backfill\U000e0041".encode(),
    "byte order mark inside": "kind: \ufeffBackfill".encode(),
    "line separator": "kind: Backfill\u2028spec: 1".encode(),
    "next line": "kind: Backfill\x85spec: 1".encode(),
    "lone surrogate": b"kind: \xed\xa0\x80",
    "overlong": b"kind: \xc0\xaf",
    "truncated": b"kind: \xe2\x82",
    "latin-1": "kind: é".encode("latin-1"),
    "UTF-16": "kind: Backfill".encode("utf-16"),
    "UTF-16 without a mark": "kind: Backfill".encode("utf-16-le"),
    "UTF-32": "kind: Backfill".encode("utf-32"),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(range(256)),
    "binary": bytes(range(256)) * 100,
    "tabs": b"kind:\n\t- x\n",
    "tab after text": b"a: 1\n\tb: 2\n",
    "duplicate kind": b"kind: Backfill\nkind: Gate\n",
    "duplicate by quotes": b"kind: Backfill\n'kind': Gate\n",
    "list as key": b"? [a, b]\n: 1\n",
    "mapping as key": b"{{a: b}: c}",
    "empty key": b": x\n",
    "a list": b"- a\n",
    "a scalar": b"Backfill\n",
    "kind is a list": b"kind: [Backfill]\n",
    "kind is a mapping": b"kind: {a: b}\n",
    "kind of another product": b"apiVersion: v1\nkind: Pod\n",
    "kind is a path": b"kind: ../../etc/passwd\n",
    "kind is plan": b"kind: plan\n",
    "kind in lower case": b"kind: backfill\n",
    "metadata is a list": b"kind: Backfill\nmetadata: [a]\n",
    "spec is text": b"kind: Backfill\nspec: a\n",
    "name is null": backfill("~").encode(),
    "name is a path": backfill("../x").encode(),
    "name with an escape": backfill('"a\\nb"').encode(),
    "name with a full-width letter": backfill("\uff41").encode(),
    "name with a homoglyph": backfill("\u043erders").encode(),
    "name of 64 characters": backfill("a" * 64).encode(),
    "name ends in a line end": backfill('"a\\n"').encode(),
    "node 0": backfill(target="{rootNode: 0}").encode(),
    "node too large": backfill(target="{rootNode: 99999999999999999999}").encode(),
    "node as fraction": backfill(target="{rootNode: 1.5}").encode(),
    "node as text": backfill(target="{rootNode: '1,2'}").encode(),
    "node in Arabic digits": backfill(target="{rootNode: \u0661\u0662}").encode(),
    "date in Arabic digits": backfill(dates="{list: [202\u0660-01-01]}").encode(),
    "date with a time": backfill(dates="{list: ['2020-01-01T00:00:00']}").encode(),
    "date of year 0": backfill(dates="{list: [0000-01-01]}").encode(),
    "date of year 9999": backfill(dates="{list: [9999-12-31]}").encode(),
    "range with three dots": backfill(dates="{list: [2020-01-01...2020-01-02]}").encode(),
    "huge last": backfill(dates="{last: 1000000000}").encode(),
    "hostile rule": backfill(
        dates="{start: 1980-01-01, end: 2020-01-01, rrule: FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30}"
    ).encode(),
    "rule by second": backfill(
        dates="{start: 1980-01-01, end: 2020-01-01, rrule: FREQ=SECONDLY}"
    ).encode(),
    "rule with line ends": backfill(
        dates='{start: 1980-01-01, end: 2020-01-01, rrule: "FREQ=DAILY\\nEXRULE:FREQ=SECONDLY"}'
    ).encode(),
    "param with a line end": backfill(params='{1234: {a: "b\\nc=d"}}').encode(),
    "param that adds another": backfill(params="{1234: {a: b c=d}}").encode(),
    "param key that adds another": backfill(params='{1234: {"a=1 b": c}}').encode(),
    "param with a non-breaking space": backfill(params='{1234: {a: "b\\u00a0c"}}').encode(),
    "param with bidi": backfill(params='{1234: {a: "b\\u202ec"}}').encode(),
    "param as list": backfill(params="{1234: {a: [b]}}").encode(),
    "flow with an escape": manual_flow(target='{flow: "a\\tb"}').encode(),
    "annotation with a line end": backfill().replace(
        "{name: a}", '{name: a, annotations: {x: "a\\n::error::b"}}'
    ).encode(),
    "secret of the environment": backfill(connection="${env:HOME}").encode(),
    "endpoint in a spec": backfill(endpoint="https://evil.example").encode(),
    "prototype": backfill(__proto__="{a: 1}", constructor="{}").encode(),
}  # fmt: skip


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_hostile_text_is_an_error_with_a_place_and_costs_little(
    tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "x.yaml").write_bytes(data)
    began = time.process_time()
    loaded = load(tmp_path)
    text = render_diagnostics(loaded.diagnostics)
    # One second is the promise; a busy machine gets some more.
    assert time.process_time() - began < 3
    assert has_errors(loaded.diagnostics)
    for item in loaded.diagnostics:
        assert item.place is not None
        assert item.place.file == "specs/x.yaml"
        assert item.excerpt is None or len(item.excerpt) <= 200
        assert len(item.summary) < 400
    assert all(line.isprintable() for line in text.split("\n"))
    assert not loaded.resources


def test_nothing_a_tag_names_is_run(tmp_path: Path) -> None:
    target = tmp_path / "owned"
    load(tmp_path, a=f'kind: !!python/object/apply:os.mkdir ["{target}"]\n')
    assert not target.exists()


VALID = [
    backfill(params="{1234: {a: b}}", reruns="[{generation: 2, dates: all, reason: r}]"),
    backfill(dates="{start: 2020-01-01, end: yesterday, rrule: FREQ=MONTHLY;BYMONTHDAY=-1}"),
    backfill(hours='{begin: "00:00:00", end: "01:00:00"}', alerts="{on: both, by: SMS}"),
    manual_flow(params="{flow: {k: v}, nodes: {12: {a: b}}}", variant="x"),
]
SCRAPS = [
    *"\t\n :[]{}'\"#|>%\x00\u202e\r\xe9\U0001f600",
    *(
        "- ",
        "&a ",
        "*a",
        "!!str ",
        "<<: ",
        "null",
        "---\n",
        "...",
        "${env:A}",
        "..",
        "all",
        "yesterday",
    ),
    *("2020-13-45", "99999999999999999999", "-1", "1e999"),
]


def _is_well_told(loaded: Loaded) -> bool:
    text = render_diagnostics(loaded.diagnostics)
    return all(item.place for item in loaded.diagnostics) and all(
        map(str.isprintable, text.split("\n"))
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz")
    load(root, x="")
    return root


def _load_bytes(root: Path, data: bytes) -> Loaded:
    (root / "specs" / "x.yaml").write_bytes(data)
    return load(root)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
def test_any_bytes_are_read_or_refused(place: Path, data: bytes) -> None:
    assert _is_well_told(_load_bytes(place, data))


_FIELDS = st.sampled_from(
    [
        "connection",
        "target",
        "dates",
        "hours",
        "params",
        "reruns",
        "alerts",
        "requires",
        "variant",
        "zzz",
    ]
)
_SHAPES = st.sampled_from(
    ["", "1", "x", "[]", "{}", "[[x]]", "prod", "{rootNode: []}", "{rootNode: 1, includeNodes: [x]}",
     "{flow: []}", "{includeNodes: {}, excludeNodes: [1]}", "{start: [], end: 9999-12-31}",
     "{end: yesterday}", "{last: 10000}", "{list: [1, 2020-05-20], except: [x], rrule: y}",
     "{start: 0001-01-01, rrule: FREQ=DAILY, x: 1}", "{begin: x}", "{end: '01:00:00'}", "{1: []}",
     "{1: {a: []}, x: {b: c d}}", "{flow: {a: b c}, nodes: []}", "[1, {dates: all}]",
     "[{generation: 1, dates: [x, 2020-05-20]}, {reason: r}, {dates: {}}]"]
)  # fmt: skip


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow])
@given(
    fields=st.dictionaries(_FIELDS, _SHAPES, max_size=6),
    document=st.sampled_from([backfill, manual_flow]),
    name=st.sampled_from(["a", "[]", "A", "''"]),
)
def test_a_spec_of_any_shape_is_read_or_refused(
    place: Path, fields: dict[str, str], document: Callable[..., str], name: str
) -> None:
    assert _is_well_told(_load_bytes(place, document(name, **fields).encode()))


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.sampled_from(VALID),
    edits=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 12), st.sampled_from([*SCRAPS, ""])),
        min_size=1,
        max_size=4,
    ),
)
def test_a_damaged_spec_is_read_or_refused(
    place: Path, text: str, edits: list[tuple[int, int, str]]
) -> None:
    for start, length, scrap in edits:
        text = text[:start] + scrap + text[start + length :]
    assert _is_well_told(_load_bytes(place, text.encode()))
