"""What a pull request can write into a spec so that it must be refused, with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.hostile.corpus.case import REFUSED, Case, Surface, Threat
from tests.hostile.stage import Stage
from tests.unit.specs.spec_files import backfill, gate, job_backfill, manual_flow

MIB = 1024 * 1024

VALIDATE = (
    "validate --format json",
    "validate",
    "validate --format github",
    "plan --offline",
)
#: Larger ones are read once.
LARGE = 32 * 1024

#: Threat T5: what takes time or memory to read.
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
    "gzip": b"\x1f\x8b\x08\x00" + bytes(range(256)),
    "binary": bytes(range(256)) * 100,
    "huge last": backfill(dates="{last: 1000000000}").encode(),
    "hostile rule": backfill(
        dates="{start: 1980-01-01, end: 2020-01-01, rrule: FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30}"
    ).encode(),
    "rule by second": backfill(
        dates="{start: 1980-01-01, end: 2020-01-01, rrule: FREQ=SECONDLY}"
    ).encode(),
    "long circle": b"---\n".join(
        backfill(
            f"n{n}", target=f"{{rootNode: {n + 1}}}", requires=f"[backfill.n{(n + 1) % 1000}]"
        ).encode()
        for n in range(1000)
    ),
    "requires nobody, often": backfill(
        requires=f"[{', '.join(f'backfill.n{n}' for n in range(20_000))}]"
    ).encode(),
    "same work, often": b"---\n".join(
        backfill(f"n{n}", params=f"{{1234: {{a: '{n}'}}}}").encode() for n in range(1000)
    ),
    "reruns, often": backfill(
        reruns=f"[{', '.join(['{generation: 2, dates: all, reason: r}'] * 5000)}]"
    ).encode(),
    "dates, often": backfill(dates=f"{{list: [{', '.join(['2020-05-20'] * 40_000)}]}}").encode(),
    "exceptions, often": backfill(
        dates="{start: 2020-01-01, end: 2020-01-02, except: ["
        + ", ".join(["2019-01-01..2021-01-01"] * 20_000) + "]}"
    ).encode(),
    "rule of many parts": backfill(
        dates="{start: 1980-01-01, end: 2020-01-01, rrule: 'FREQ=DAILY;BYMONTHDAY="
        + ",".join(["31"] * 20_000) + "'}"
    ).encode(),
    "rule that never ends": backfill(
        dates="{start: 1980-01-01, end: 2020-01-01, "
        "rrule: FREQ=YEARLY;BYYEARDAY=366;BYWEEKNO=20;COUNT=9999999}"
    ).encode(),
    "unknown connections, often": b"---\n".join(
        backfill(f"n{n}", connection="p" * 60).encode() for n in range(1000)
    ),
    "unknown keys, often": backfill().encode() + b"".join(b"  conection%d: 1\n" % n for n in range(10_000)),
    "params, often": backfill(
        params=f"{{{', '.join(f'{n}: {{a: b c}}' for n in range(1, 10_000))}}}"
    ).encode(),
    "backslashes": b'kind: "' + b"\\\\" * 500_000,
    "escapes of invisible characters": b'kind: "' + b"\\u200b" * 150_000 + b'"',
    "zones": gate(connection="${env:A}" * 5000).encode(),
}  # fmt: skip

#: Threat T6: what other readers of YAML would run, or put where it does not belong.
CODE: dict[str, bytes] = {
    "tags": b"!!python/object/apply:os.system [touch owned]",
    "tag of a name": b"!!python/name:os.system",
    "new tag": b"kind: !!python/object/new:subprocess.Popen [[id]]",
    "tag directive": b"%TAG ! tag:yaml.org,2002:python/\n---\n!object:os.system x",
    "verbatim tag": b"!<tag:yaml.org,2002:python/object/apply:os.system> [id]",
    "prototype": backfill(__proto__="{a: 1}", constructor="{}").encode(),
    "tag of a set": b"kind: !!set {a, b}",
    "tag of an ordered map": b"kind: !!omap [a: 1]",
    "tag of binary": b"kind: !!binary aGk=",
    "tag of a time": b"kind: !!timestamp 2020-01-01",
    "local tag": b"kind: !include ../../etc/passwd",
    "tag of another tool": b"kind: !vault |\n  abc",
    "CloudFormation": b"kind: !Sub '${AWS::AccountId}'",
    "merge key": b"base: &b {kind: Backfill}\n<<: *b\n",
    "merge key without an alias": b"kind: Backfill\n<<: {spec: 1}\n",
    "version directive": b"%YAML 1.1\n---\nkind: Backfill\n",
    "Jinja": backfill("'{{ cycler.__init__.__globals__.os.popen(\"id\").read() }}'").encode(),
    "format string": backfill("'{0.__class__.__mro__}'").encode(),
    "shell": backfill("'$(touch owned)'").encode(),
    "inclusion": b"include: ../../etc/passwd\nkind: Backfill\n",
    "reference of JSON": b"$ref: file:///etc/passwd\n",
    "entity of XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "pickle": b"cos\nsystem\n(S'touch owned'\ntR.",
}  # fmt: skip

#: Threat T7: what says something else than a reviewer sees, or than a parser elsewhere would read.
MISLEADING: dict[str, bytes] = {
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
    "Hangul filler": "kind: Back\u3164fill".encode(),
    "combining joiner": "kind: Back\u034ffill".encode(),
    "escaped filler": backfill().replace("{name: a}", '{name: a, labels: {x: "a\\u3164"}}').encode(),
    "annotation that is hidden": backfill().replace(
        "{name: a}", '{name: a, annotations: {x: "a\\u2066b"}}'
    ).encode(),
    "second document behind a margin": backfill().encode() + b"\n" * 500 + b"---\n"
    + backfill("b", dates="{last: 9999999}").encode(),
    "same name twice": (backfill() + "---\n" + backfill()).encode(),
    "same work twice": (backfill("a", params="{1234: {a: b}}") + "---\n" + backfill("b")).encode(),
    "octal": backfill(target="{rootNode: 0o777}").encode(),
    "hexadecimal": backfill(target="{rootNode: 0x7F}").encode(),
    "underscores": backfill(target="{rootNode: 1_234}").encode(),
    "sexagesimal": backfill(parallelism="1:30").encode(),
    "Norway": backfill("no").replace("{name: no}", "{name: no, annotations: no}").encode(),
    "date the American way": backfill(dates="{list: [05/20/2020]}").encode(),
    "date the other way": backfill(dates="{list: [20-05-2020]}").encode(),
    "end before start": backfill(dates="{start: 2020-05-20, end: 2020-05-19}").encode(),
    "tomorrow": backfill(dates="{list: [2099-01-01]}").encode(),
    "day that is none": backfill(dates="{list: [2021-02-29]}").encode(),
    "marker of ours in a flow": manual_flow(params="{flow: {reconciler_run: rc1-forged}}").encode(),
}  # fmt: skip

#: Threat T1: what would have a signed request sent elsewhere. `{port}` is one that somebody listens on.
REACHING = {
    "endpoint": backfill(endpoint="http://127.0.0.1:{port}"),
    "endpoint in the target": backfill(
        target="{{rootNode: 1, endpoint: 'http://127.0.0.1:{port}'}}"
    ),
    "endpoint of a job": job_backfill(target="{{job: a, iamEndpoint: 'http://127.0.0.1:{port}'}}"),
    "endpoint of a gate": gate(endpoint="http://127.0.0.1:{port}"),
    "endpoint beside a condition": gate(
        obshell="{{noUnfinished: cluster, endpoint: 'http://127.0.0.1:{port}'}}"
    ),
    "endpoint in the metadata": backfill().replace(
        "{name: a}", "{{name: a, endpoint: 'http://127.0.0.1:{port}'}}"
    ),
    "connection is a URL": backfill(connection="http://127.0.0.1:{port}"),
    "connection is a URL of a gate": gate(connection="http://127.0.0.1:{port}"),
    "connection with a host": backfill(connection="prod@127.0.0.1:{port}"),
    "connection is a mapping": backfill(
        connection="{{provider: dataworks, region: r, endpoint: 'http://127.0.0.1:{port}'}}"
    ),
    "connections of its own": backfill(
        connections="{{prod: {{provider: dataworks, endpoint: 'http://127.0.0.1:{port}'}}}}"
    ),
    "region": backfill(region="127.0.0.1:{port}/"),
    "proxy": backfill(proxy="http://127.0.0.1:{port}"),
    "certificate authority": backfill(caFile="http://127.0.0.1:{port}/ca.pem"),
    "simulator": backfill(simulator="{{world: 'http://127.0.0.1:{port}/w.yaml'}}"),
    "credentials": backfill(credentials="{{source: static, url: 'http://127.0.0.1:{port}'}}"),
    "state": backfill(state="postgresql://127.0.0.1:{port}/x"),
    "world": backfill(world="http://127.0.0.1:{port}/w.yaml"),
    "requires a URL": backfill(requires="['http://127.0.0.1:{port}']"),
    "reference": "$ref: http://127.0.0.1:{port}/spec.yaml\n",
    "schema": "$schema: http://127.0.0.1:{port}/schema.json\n" + backfill(),
    "tag": "kind: !<http://127.0.0.1:{port}/> Backfill\n",
    "inclusion": "kind: !include http://127.0.0.1:{port}/spec.yaml\n",
    "a project among specs": (
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {{name: p}}\nspec:\n  connections:\n"
        "    prod: {{provider: dataworks, region: r, endpoint: 'http://127.0.0.1:{port}'}}\n"
    ),
    "variable of the environment": backfill(connection="${{env:ALIBABA_CLOUD_ACCESS_KEY_SECRET}}"),
    "variable in a name": backfill("'${{env:ALIBABA_CLOUD_ACCESS_KEY_SECRET}}'"),
}


#: What must be said of some, whatever else is wrong with them.
SAID = {
    "aliases": "alias",
    "recursive alias": "anchor",
    "closed brackets": "too_deep",
    "many keys": "too_many_nodes",
    "large scalar": "file_too_large",
    "tags": "tag",
    "verbatim tag": "tag",
    "merge key": "anchor",
    "version directive": "directive",
    "bidi": "invisible_character",
    "zero width": "invisible_character",
    "escaped filler": "invisible_character",
    "annotation that is hidden": "invisible_character",
    "duplicate kind": "duplicate_key",
    "duplicate by quotes": "duplicate_key",
}


def _planted(data: bytes) -> Callable[[Stage], None]:
    def plant(stage: Stage) -> None:
        (stage.root / "specs" / "x.yaml").write_bytes(data)

    return plant


def _reaching(text: str) -> Callable[[Stage], None]:
    # Some are built by `backfill`, whose own braces are single.
    def plant(stage: Stage) -> None:
        written = text.replace("{{", "{").replace("}}", "}").replace("{port}", str(stage.listen()))
        stage.spec("x.yaml", written)

    return plant


def _ran_nothing(stage: Stage) -> None:
    assert not (stage.root / "owned").exists()
    assert not Path("owned").exists()


def _refused(threat: Threat, attacks: Mapping[str, bytes]) -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"spec: {name}",
            threat=threat,
            surface=Surface.SPEC,
            plant=_planted(data),
            commands=VALIDATE if len(data) < LARGE else VALIDATE[:1],
            codes=REFUSED,
            finds=frozenset({SAID[name]} if name in SAID else ()),
            holds=_ran_nothing,
        )
        for name, data in attacks.items()
    )


CASES = (
    *_refused(Threat.BOMBS, BOMBS),
    *_refused(Threat.CODE, CODE),
    *_refused(Threat.REVIEWERS, MISLEADING),
    *(
        Case(
            id=f"spec: {name} elsewhere",
            threat=Threat.ENDPOINTS,
            surface=Surface.SPEC,
            plant=_reaching(text),
            commands=(*VALIDATE, "plan", "apply --auto-approve"),
            codes=REFUSED,
        )
        for name, text in REACHING.items()
    ),
)
