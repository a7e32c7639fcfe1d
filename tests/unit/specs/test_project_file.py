from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import InputError
from reconciler.model.project import (
    DataArtsConnection,
    DataWorksConnection,
    DefaultCredentials,
    EnvCredentials,
    Limits,
    OBShellConnection,
    PasswordCredentials,
    Policy,
    ProfileCredentials,
    Project,
    Secret,
    SimulatorEndpoint,
    StaticCredentials,
)
from reconciler.model.series import Realm
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.specs import load_project

HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: p}\nspec:\n"


def project(root: Path, body: str = "  {}", **environ: str) -> Project:
    (root / "reconciler.yaml").write_text(HEAD + body + "\n")
    return load_project(root, environ)


def connection(fields: str) -> str:
    return f"  connections:\n    c: {{provider: dataworks, region: cn-shanghai, {fields}}}"


def dataworks(loaded: Project) -> DataWorksConnection:
    found = loaded.connections["c"]
    assert isinstance(found, DataWorksConnection)
    return found


def freezes(start: str, end: str) -> str:
    return f"  policy: {{freezes: [{{from: '{start}', until: '{end}', reason: sale}}]}}"


def problems(root: Path, body: str, **environ: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        project(root, body, **environ)
    return caught.value.diagnostics


def codes(root: Path, body: str, **environ: str) -> list[str]:
    return [item.code for item in problems(root, body, **environ)]


def test_an_empty_project_has_the_documented_defaults(tmp_path: Path) -> None:
    assert project(tmp_path) == Project(name="p", root=str(tmp_path), file="reconciler.yaml")


def test_a_connection_has_the_documented_defaults(tmp_path: Path) -> None:
    found = dataworks(project(tmp_path, connection("projectId: 1")))
    assert (found.environment, found.timezone, found.realm) == (
        "PROD",
        "Asia/Shanghai",
        Realm.LIVE,
    )
    assert (found.credentials, found.limits) == (DefaultCredentials(), Limits())
    assert (found.skew_seconds, found.lag_seconds, found.endpoint) == (60, 180, None)
    assert str(found.place) == "reconciler.yaml:6:5"


def test_every_field_is_read(tmp_path: Path) -> None:
    loaded = project(
        tmp_path,
        connection(
            "project: t, projectId: '112345', environment: DEV, timezone: UTC, clockSkew: 5s, "
            "listingLag: 2m, limits: {readQps: 2.5, writeQps: 1, dailyCalls: 9}, "
            "endpoint: simulator, simulator: {world: w.yaml, clock: real}"
        )
        + "\n  specs: [a/*.yaml]\n  state: postgresql://u:${env:PW}@h/d\n"
        "  policy: {maxDates: 4, maxCalls: 5, requireAnnotations: [owner], earliestDate: 2019-01-01,"
        " planExpiry: 24h}",
        PW="hush",
    )
    found = dataworks(loaded)
    assert (found.project, found.project_id, found.environment) == ("t", "112345", "DEV")
    assert (found.timezone, found.skew_seconds, found.lag_seconds) == ("UTC", 5, 120)
    assert found.limits == Limits(read_qps=2.5, write_qps=1, daily_calls=9)
    assert found.endpoint == SimulatorEndpoint(world="w.yaml", clock="real")
    assert found.realm is Realm.SIMULATOR
    assert (loaded.specs, loaded.state) == (("a/*.yaml",), "postgresql://u:hush@h/d")
    assert "hush" not in repr(loaded)
    assert loaded.policy == Policy(
        max_dates=4,
        max_calls=5,
        require_annotations=("owner",),
        earliest_date=dt.date(2019, 1, 1),
        plan_expiry=dt.timedelta(hours=24),
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{source: default}", DefaultCredentials()),
        ("{source: env}", EnvCredentials()),
        ("{source: profile, name: x}", ProfileCredentials("x")),
    ],
)
def test_credentials_have_a_source(tmp_path: Path, source: str, expected: object) -> None:
    loaded = project(tmp_path, connection(f"credentials: {source}"))
    assert dataworks(loaded).credentials == expected


def test_static_credentials_come_from_the_environment(tmp_path: Path) -> None:
    keys = '{source: static, accessKeyId: "${env:ID}", accessKeySecret: "x${env:KEY}y"}'
    loaded = project(tmp_path, connection(f"credentials: {keys}"), ID="id", KEY="hush")
    credentials = dataworks(loaded).credentials
    assert isinstance(credentials, StaticCredentials)
    assert credentials.access_key_id.reveal() == "id"
    assert credentials.access_key_secret.reveal() == "xhushy"
    assert "hush" not in repr(loaded)


STATIC = (
    "  connections:\n    c:\n      provider: dataworks\n      region: cn-shanghai\n      credentials:\n"
    '        source: static\n        accessKeyId: "${env:AK}"\n'
    '        accessKeySecret: "x${env:SK}${env:SALT}"\n        securityToken: "${env:TOKEN}"'
)


def test_a_secret_whose_variable_is_missing_fails_only_when_revealed(tmp_path: Path) -> None:
    # A fork's pull request has none of them; what runs there sets them to nothing.
    loaded = project(tmp_path, STATIC, TOKEN="hush", SK="hush", SALT="")
    credentials = dataworks(loaded).credentials
    assert isinstance(credentials, StaticCredentials)
    assert str(credentials.access_key_id.unset) == (
        "the environment variable AK (reconciler.yaml:11:22) is not set"
    )
    assert str(credentials.access_key_secret.unset) == (
        "the environment variable SALT (reconciler.yaml:12:26) is empty"
    )
    for secret in (credentials.access_key_id, credentials.access_key_secret):
        with pytest.raises(LookupError, match="environment variable") as caught:
            secret.reveal()
        assert "hush" not in repr(caught.value)
    assert credentials.security_token is not None
    assert credentials.security_token.reveal() == "hush"
    assert "hush" not in repr(loaded)


def test_a_secret_is_still_checked_for_what_is_written(tmp_path: Path) -> None:
    assert codes(tmp_path, STATIC.replace("AK}", "A-K}")) == ["malformed"]
    assert codes(tmp_path, STATIC, AK="a\n") == ["malformed"]
    assert codes(tmp_path, STATIC.replace("cn-shanghai", "${env:NO}")) == ["missing_variable"]
    assert codes(tmp_path, STATIC.replace("source: static", '"source": "${env:NO}"')) == [
        "missing_variable"
    ]


def test_a_value_that_looks_like_a_reference_is_a_value(tmp_path: Path) -> None:
    credentials = dataworks(project(tmp_path, STATIC, AK="${env:B}")).credentials
    assert isinstance(credentials, StaticCredentials)
    assert credentials.access_key_id.reveal() == "${env:B}"


@pytest.mark.parametrize(
    ("endpoint", "realm"),
    [
        ("https://dataworks.cn-shanghai.aliyuncs.com", Realm.LIVE),
        ("https://127.0.0.1:8443", Realm.SIMULATOR),
        ("http://127.0.0.1:8080/", Realm.SIMULATOR),
        ("http://localhost:8080", Realm.SIMULATOR),
        ("http://[::1]:8080", Realm.SIMULATOR),
        ("https://localhost.example.com", Realm.LIVE),
    ],
)
def test_the_realm_follows_from_the_endpoint(tmp_path: Path, endpoint: str, realm: Realm) -> None:
    loaded = project(tmp_path, connection(f'endpoint: "{endpoint}"'))
    assert loaded.connections["c"].realm is realm
    assert loaded.connections["c"].endpoint == endpoint.rstrip("/")
    other = project(tmp_path, connection(f'endpoint: "{endpoint}", realm: live'))
    assert other.connections["c"].realm is Realm.LIVE


@pytest.mark.parametrize(
    "endpoint",
    ["http://10.0.0.1", "http://example.com", "http://localhost.example.com", "http://0.0.0.0", "http://127.1.example",
     "http://2130706433", "http://0x7f.1", "ftp://127.0.0.1", "127.0.0.1", "https://", "https://u:p@h", "https://h/?a=b",
     "https://h/#a", "http://127.0.0.1:99999", "https://[::1", "simulator2", "http://127.0.0.1@evil.example"],
)  # fmt: skip
def test_other_endpoints_are_refused(tmp_path: Path, endpoint: str) -> None:
    assert codes(tmp_path, connection(f'endpoint: "{endpoint}"')) == ["endpoint"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (connection("simulator: {clock: real}"), ["endpoint"]),
        (connection("endpoint: simulator, simulator: {world: ../w.yaml}"), ["path"]),
        (connection("endpoint: simulator, simulator: {world: /w.yaml}"), ["path"]),
        (connection("timezone: Asia/Shangai"), ["unknown_timezone"]),
        (connection("timezone: Asia"), ["unknown_timezone"]),
        (connection("timezone: ../../etc/passwd"), ["unknown_timezone"]),
        (connection("environment: prod"), ["unknown_value"]),
        (connection("credentials: {source: static}"), ["missing_key", "missing_key"]),
        (connection("credentials: {source: env, name: x}"), ["unknown_key"]),
        (freezes("2026-11-10T00:00", "2026-11-12T00:00+08:00"), ["moment"]),
        (freezes("tomorrow", "2026-13-12T00:00+08:00"), ["moment", "moment"]),
        (freezes("2026-11-12T00:00+08:00", "2026-11-11T16:00Z"), ["freeze"]),
        ("  policy: {earliestDate: 2019-02-30}", ["date"]),
        ("  policy: {planExpiry: 0d}", ["out_of_bounds"]),
        ("  policy: {planExpiry: 7 days}", ["malformed"]),
        ("  policy: {maxDate: 1}", ["unknown_key"]),
        ("  state: mysql://x", ["state"]),
        ("  specs: [../*.yaml, /etc/*.yaml]", ["path", "path"]),
        ("  connections: {a b: {provider: obshell, endpoint: 'http://h'}}", ["malformed"]),
        ('  specs: ["${env:NO}"]', ["missing_variable"]),
        ("  state: ${env:}", ["malformed"]),
        ("  state: '${env:X'", ["malformed"]),
        ("  {}\n---\na: 1", ["one_document"]),
    ],
)
def test_a_wrong_project_file_is_told_with_its_place(
    tmp_path: Path, body: str, expected: list[str]
) -> None:
    found = problems(tmp_path, body)
    assert [item.code for item in found] == expected
    assert all(item.place and item.place.file == "reconciler.yaml" for item in found)


def test_a_state_whose_variable_is_missing_is_told_by_whoever_opens_it(tmp_path: Path) -> None:
    body = '  state: "postgresql://ann:${env:PW}@db/state"'
    for environ in ({}, {"PW": ""}):
        found = project(tmp_path, body, **environ)
        assert found.state == ""
        assert found.state_unset is not None
        assert str(found.state_unset.place) == "reconciler.yaml:5:10"
    assert project(tmp_path, body, PW="x").state_unset is None


def test_an_obshell_connection_has_the_documented_defaults(tmp_path: Path) -> None:
    found = project(
        tmp_path, "  connections: {c: {provider: obshell, endpoint: 'http://10.0.0.8:2886'}}"
    ).connections["c"]
    assert isinstance(found, OBShellConnection)
    assert found == OBShellConnection(
        name="c", place=found.place, endpoint="http://10.0.0.8:2886", realm=Realm.LIVE
    )
    assert found.password.reveal() == ""


def test_every_field_of_an_obshell_connection_is_read(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        "  connections: {c: {provider: obshell, endpoint: simulator, user: ann, password: '${env:P}', "
        "agentPassword: '${env:A}', limits: {readQps: 2}, simulator: {clock: manual}}}",
        P="one",
        A="two",
    ).connections["c"]
    assert isinstance(found, OBShellConnection)
    assert found.agent_password is not None
    assert (found.password.reveal(), found.agent_password.reveal()) == ("one", "two")
    assert (found.user, found.realm, found.limits.read_qps) == ("ann", Realm.SIMULATOR, 2)
    assert found.endpoint == SimulatorEndpoint(clock="manual")


def test_a_dataarts_connection_has_the_documented_defaults(tmp_path: Path) -> None:
    found = project(
        tmp_path, "  connections: {c: {provider: dataarts, region: cn-north-4, projectId: p1}}"
    ).connections["c"]
    assert isinstance(found, DataArtsConnection)
    assert found == DataArtsConnection(
        name="c", place=found.place, region="cn-north-4", project_id="p1"
    )
    assert (found.credentials, found.timezone, found.home) == (
        EnvCredentials(),
        "Asia/Shanghai",
        "p1/",
    )


def test_every_field_of_a_dataarts_connection_is_read(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        "  connections: {c: {provider: dataarts, region: cn-north-4, projectId: p1, workspace: w1, "
        "instance: i1, timezone: UTC, endpoint: 'https://dayu.example', realm: simulator, "
        "iamEndpoint: 'https://iam.example/', limits: {dailyCalls: 100}, clockSkew: 5s, "
        "listingLag: 10m, "
        "credentials: {source: password, user: ann, domain: acme, password: '${env:P}'}}}",
        P="one",
    ).connections["c"]
    assert found == DataArtsConnection(
        name="c",
        place=found.place,
        region="cn-north-4",
        project_id="p1",
        workspace="w1",
        instance="i1",
        timezone="UTC",
        credentials=PasswordCredentials(user="ann", domain="acme", password=Secret("one")),
        endpoint="https://dayu.example",
        iam_endpoint="https://iam.example",
        realm=Realm.SIMULATOR,
        limits=Limits(daily_calls=100),
        skew_seconds=5,
        lag_seconds=600,
    )


@pytest.mark.parametrize(
    "fields",
    [
        "provider: dataarts, region: r, projectId: p, endpoint: 'http://dayu.example'",
        "provider: dataarts, region: r, projectId: p, iamEndpoint: 'http://iam.example'",
        "provider: obshell, endpoint: 'ftp://10.0.0.8'",
        "provider: obshell, endpoint: 'http://a:b@10.0.0.8'",
    ],
)
def test_an_endpoint_that_would_betray_secrets_is_refused(tmp_path: Path, fields: str) -> None:
    assert codes(tmp_path, f"  connections: {{c: {{{fields}}}}}") == ["endpoint"]


def test_a_project_without_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_project(tmp_path, {})
    assert "reconciler init" in caught.value.diagnostics[0].hint


def test_the_freeze_in_force_that_ends_last_is_the_one_that_counts(tmp_path: Path) -> None:
    body = freezes("2026-11-10T00:00+08:00", "2026-11-12T00:00+08:00")
    policy = project(
        tmp_path, body.replace("]}", ", {from: 2026-11-11T00:00Z, until: 2026-11-13T00:00Z}]}")
    ).policy
    told = {
        hour: str(
            policy.frozen(dt.datetime(2026, 11, 10, tzinfo=dt.UTC) + dt.timedelta(hours=hour))
        )
        for hour in (-9, -8, 23, 24, 71, 72)
    }
    sale = "frozen until 2026-11-12 00:00 +0800 (sale)"
    later = "frozen until 2026-11-13 00:00 +0000"
    assert told == {-9: "None", -8: sale, 23: sale, 24: later, 71: later, 72: "None"}


def test_a_linked_project_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(HEAD + "  {}")
    (tmp_path / "reconciler.yaml").symlink_to("x")
    with pytest.raises(InputError):
        load_project(tmp_path, {})


CANARY = "hush-hush-canary"


@pytest.mark.parametrize(
    "body",
    [
        connection('region: "${env:S}"'),
        connection('endpoint: "${env:S}"'),
        connection('endpoint: "http://${env:S}/"'),
        connection('timezone: "${env:S}"'),
        connection('environment: "${env:S}"'),
        connection('projectId: "${env:S}"'),
        connection('credentials: {source: "${env:S}"}'),
        connection(
            'credentials: {source: static, accessKeyId: "${env:S}", x: "${env:S}", '
            'accessKeySecret: "${env:S}"}'
        ),
        connection(
            f"credentials: {{source: static, accessKeyId: {CANARY}, accessKeySecret: {CANARY}}}, oops: 1"
        ),
        connection(
            f"credentials: {{source: static, accessKeyId: [{CANARY}], accessKeySecret: 1}}"
        ),
        connection(
            f"credentials: {{source: static, accessKeySecret: {CANARY}, accessKeySecret: x}}"
        ),
        f"  connections:\n    c:\n      accessKeySecret: &a {CANARY}",
        f"  connections:\n    c:\n      accessKeySecret: |\n        {CANARY}\n       bad",
        f"  connections:\n    c: {{provider: obshell, endpoint: 'http://h', password: 'a{CANARY}: [ }}",
        f"  state: mysql://u:{CANARY}@h/d",
        f"  connections: {{c: {{provider: obshell, endpoint: 'http://h', pass: {CANARY}}}}}",
        "  state: mysql://u:${env:S}@h/d",
        '  specs: ["../${env:S}"]',
        '  policy: {earliestDate: "${env:S}", planExpiry: "${env:S}", maxDates: "${env:S}"}',
    ],
)
def test_no_message_shows_a_secret(tmp_path: Path, body: str) -> None:
    found = problems(tmp_path, body, S=CANARY)
    assert CANARY not in render_diagnostics(found)
    assert CANARY not in repr(found)


def test_a_control_character_in_a_variable_is_refused_unseen(tmp_path: Path) -> None:
    (item,) = problems(tmp_path, "  state: sqlite:///${env:S}", S="canary\n")
    assert "canary" not in repr(item)


def test_the_environment_means_nothing_in_a_key(tmp_path: Path) -> None:
    assert codes(tmp_path, '  connections: {"${env:A}": 1}', A="x") == ["malformed", "wrong_type"]
