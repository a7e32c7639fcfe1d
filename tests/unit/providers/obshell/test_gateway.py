"""The handshake, one signed read, retries, keys that change, and refusals in plain words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import httpx
import pytest

from reconciler.concurrency import each
from reconciler.model.diagnostics import Place
from reconciler.model.errors import (
    Forbidden,
    InvalidRequest,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UnexpectedResponse,
)
from reconciler.model.gates import DagSucceeded
from reconciler.model.project import Limits, Secret, UnsetVariable
from reconciler.model.series import Realm
from tests.unit.providers.obshell.support import (
    AGENT_LIST,
    AGENT_PASSWORD,
    CLUSTER_LIST,
    CLUSTER_QUIET,
    DAG,
    DATES,
    NOW,
    PASSWORD,
    SECRET,
    SECURITY,
    SMALL_KEY,
    THE_DAG,
    VECTORS,
    Agent,
    FakeClock,
    a_connection,
    a_dag,
    a_node,
    a_provider,
    a_task,
    an_envelope,
    listed,
    load,
    new_key,
    ok,
    refusal,
)

pytestmark = pytest.mark.anyio

WITH_AGENT_PASSWORD = a_connection(agent_password=Secret(AGENT_PASSWORD))


async def test_the_first_read_asks_for_the_key_and_later_ones_do_not() -> None:
    agent = Agent()
    agent.on(DAG, lambda _: ok(a_dag()))
    agent.on(CLUSTER_LIST, lambda _: listed())
    provider = a_provider(agent)

    await provider.evaluate(THE_DAG, DATES)
    await provider.evaluate(CLUSTER_QUIET, DATES)

    assert agent.paths() == ["/secret", "/task/dag/1123", "/task/dag/ob/unfinish"]
    assert provider.calls_made == 3


async def test_reads_that_begin_together_share_one_handshake() -> None:
    agent = Agent()
    agent.on(DAG, lambda _: ok(a_dag()))
    provider = a_provider(agent)
    await each(range(5), lambda _: provider.evaluate(THE_DAG, DATES))
    assert agent.paths().count("/secret") == 1


async def test_a_read_is_what_the_sdk_sends() -> None:
    agent = Agent()
    agent.on(DAG, ok(a_dag()))
    await a_provider(agent).evaluate(THE_DAG, DATES)

    sent = agent.requests[-1]
    theirs = load("get_dag_second_call.json")["request"]
    assert sent.method == theirs["method"]
    assert sent.url.query.decode() == theirs["url"].partition("?")[2]
    assert "content-type" not in sent.headers
    assert not sent.content
    [(header, members)] = agent.headers
    assert header == "X-OCS-Header"
    assert members["auth"] == PASSWORD
    assert members["uri"] == "/api/v1/task/dag/1123?show_details=True"
    assert set(members) == set(load("get_dag_second_call.json")["decrypted"]["plaintext"])


async def test_keys_of_512_bits_serve_too() -> None:
    agent = Agent(key=SMALL_KEY)
    agent.on(DAG, ok(a_dag()))
    assert not (await a_provider(agent).evaluate(THE_DAG, DATES)).closed


@pytest.mark.parametrize("ahead_seconds", [3600, -3600])
async def test_a_header_expires_a_minute_later_on_the_agents_clock(ahead_seconds: int) -> None:
    agent, clock = Agent(date=NOW + dt.timedelta(seconds=ahead_seconds)), FakeClock()
    agent.on(DAG, ok(a_dag()))
    provider = a_provider(agent, clock=clock)
    await provider.evaluate(THE_DAG, DATES)
    assert agent.headers[0][1]["ts"] == str(int(NOW.timestamp()) + ahead_seconds + 60)


async def test_without_a_date_header_the_agents_own_timestamp_tells_its_time() -> None:
    agent = Agent(date=None)
    agent.on(
        SECRET,
        ok({"public_key": agent.key.served}, timestamp="2024-06-01T21:00:00.999999999+08:00"),
    )
    agent.on(DAG, ok(a_dag()))
    await a_provider(agent).evaluate(THE_DAG, DATES)
    assert agent.headers[0][1]["ts"] == str(int(NOW.timestamp()) + 3600 + 60)


async def test_where_nothing_tells_the_agents_time_ours_is_taken() -> None:
    agent = Agent(date=None)
    agent.on(SECRET, ok({"public_key": agent.key.served}, timestamp=None))
    agent.on(DAG, ok(a_dag()))
    await a_provider(agent).evaluate(THE_DAG, DATES)
    assert agent.headers[0][1]["ts"] == str(int(NOW.timestamp()) + 60)


@pytest.mark.parametrize("first_digit", ["4", "5"])
async def test_a_task_of_a_proxy_is_asked_for_with_the_agents_password(first_digit: str) -> None:
    agent = Agent()
    dag = f"{first_digit}2130706433028869"
    agent.on(f"/api/v1/task/dag/{dag}", lambda _: ok(a_dag(id=dag)))

    provider = a_provider(agent, connection=WITH_AGENT_PASSWORD)
    await provider.evaluate(DagSucceeded(dag=dag), DATES)
    without = a_provider(agent)
    await without.evaluate(DagSucceeded(dag=dag), DATES)

    assert [(name, members["auth"]) for name, members in agent.headers] == [
        ("X-OCS-Agent-Header", AGENT_PASSWORD),
        ("X-OCS-Header", PASSWORD),
    ]


@pytest.mark.parametrize("first_digit", ["1", "2", "3"])
async def test_other_tasks_are_asked_for_with_the_clusters_password(first_digit: str) -> None:
    agent = Agent()
    dag = f"{first_digit}2130706433028869"
    agent.on(f"/api/v1/task/dag/{dag}", ok(a_dag(id=dag)))
    provider = a_provider(agent, connection=WITH_AGENT_PASSWORD)
    await provider.evaluate(DagSucceeded(dag=dag), DATES)
    assert [name for name, _ in agent.headers] == ["X-OCS-Header"]


async def test_an_agent_that_asks_for_its_own_password_gets_it_from_then_on() -> None:
    agent = Agent()
    agent.in_turn(DAG, refusal(400, f"{SECURITY}WithAgentPassword"), ok(a_dag()), ok(a_dag()))
    provider = a_provider(agent, connection=WITH_AGENT_PASSWORD)
    for _ in range(2):
        await provider.evaluate(THE_DAG, DATES)
    agent_header = "X-OCS-Agent-Header"
    assert [name for name, _ in agent.headers] == ["X-OCS-Header", agent_header, agent_header]


async def test_an_agent_that_asks_for_a_password_that_we_lack_is_told_about() -> None:
    agent = Agent()
    agent.on(DAG, refusal(401, f"{SECURITY}WithAgentPassword"))
    with pytest.raises(Unauthenticated) as caught:
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert "agentPassword" in caught.value.hint
    assert len(agent.headers) == 1


async def test_after_a_change_of_the_key_the_read_is_repeated_with_the_new_one() -> None:
    agent = Agent()
    agent.on(DAG, lambda _: ok(a_dag()))
    provider = a_provider(agent)
    await provider.evaluate(THE_DAG, DATES)

    agent.key = new_key()
    reading = await provider.evaluate(THE_DAG, DATES)
    await provider.evaluate(THE_DAG, DATES)

    assert not reading.closed
    dag, secret = "/task/dag/1123", "/secret"
    assert agent.paths() == [secret, dag, dag, secret, dag, dag]


async def test_reads_that_meet_a_changed_key_together_fetch_it_once() -> None:
    agent = Agent()
    agent.on(DAG, lambda _: ok(a_dag()))
    provider = a_provider(agent)
    await provider.evaluate(THE_DAG, DATES)
    agent.key = new_key()
    await each(range(4), lambda _: provider.evaluate(THE_DAG, DATES))
    assert agent.paths().count("/secret") == 2


@pytest.mark.parametrize(
    "undecryptable",
    [
        lambda: refusal(401, f"{SECURITY}Header.DecryptFailed", code=1),
        lambda: refusal(401, f"{SECURITY}Header.DecryptFailed"),
        lambda: refusal(500, f"{SECURITY}Header.DecryptFailed"),
        lambda: refusal(401, code=1),
    ],
)
async def test_a_header_that_cannot_be_read_is_written_anew_once(
    undecryptable: Callable[[], httpx.Response],
) -> None:
    agent, clock = Agent(), FakeClock()
    agent.on(DAG, lambda _: undecryptable())
    with pytest.raises(Unauthenticated):
        await a_provider(agent, clock=clock).evaluate(THE_DAG, DATES)
    dag, secret = "/task/dag/1123", "/secret"
    assert agent.paths() == [secret, dag, secret, dag]
    assert clock.slept == []


async def test_servers_that_call_it_a_wrong_password_are_tried_again_if_their_key_changed() -> (
    None
):
    """Before 4.3.1 an unreadable header and a wrong password were answered alike."""
    agent = Agent()

    def judge(_: httpx.Request) -> httpx.Response:
        return refusal(401, code=10008) if len(agent.headers) == 1 else ok(a_dag())

    agent.on(DAG, judge)
    provider = a_provider(agent)
    with pytest.raises(Unauthenticated):
        await provider.evaluate(THE_DAG, DATES)
    assert agent.paths() == ["/secret", "/task/dag/1123", "/secret"]

    agent.headers.clear()
    keys = [agent.key, new_key()]

    def serve_another(_: httpx.Request) -> httpx.Response:
        agent.key = keys[1]
        return ok({"public_key": agent.key.served})

    agent.on(SECRET, serve_another)
    assert not (await provider.evaluate(THE_DAG, DATES)).closed


async def test_a_wrong_password_is_told_in_plain_words() -> None:
    agent = Agent()
    theirs = load("wrong_password.json")["exchange"][-1]["answered_with"]
    agent.on(
        DAG,
        httpx.Response(
            theirs["status"], json=an_envelope(successful=False, error=theirs["error"])
        ),
    )
    with pytest.raises(Unauthenticated) as caught:
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert caught.value.summary == (
        "the password of connection ob was not accepted: "
        "Security.Authentication.IncorrectOceanbasePassword: "
        "Unauthorized: OceanBase password is incorrect"
    )
    assert "root@sys" in caught.value.hint
    assert caught.value.request_id == "a1b2c3d4e5f60718"
    assert len(agent.headers) == 1


async def test_a_password_whose_variable_is_unset_sends_nothing() -> None:
    missing = Secret.missing(UnsetVariable("OB_PASSWORD", Place("reconciler.yaml", 9, 5)))
    agent = Agent()
    provider = a_provider(agent, connection=a_connection(password=missing))
    with pytest.raises(Unauthenticated, match="OB_PASSWORD"):
        await provider.evaluate(THE_DAG, DATES)
    assert agent.requests == []


async def test_a_password_of_an_agent_whose_variable_is_unset_is_missed_only_where_needed() -> (
    None
):
    missing = Secret.missing(UnsetVariable("OB_AGENT", Place("reconciler.yaml", 9, 5)))
    agent = Agent()
    agent.on(DAG, ok(a_dag()))
    provider = a_provider(agent, connection=a_connection(agent_password=missing))
    await provider.evaluate(THE_DAG, DATES)
    with pytest.raises(Unauthenticated, match="no agentPassword"):
        await provider.evaluate(DagSucceeded(dag="41"), DATES)


@pytest.mark.parametrize(
    "passing",
    [
        lambda: httpx.ReadTimeout("slow"),
        lambda: httpx.ConnectError("refused"),
        lambda: httpx.Response(503, content=b"<html>"),
        lambda: httpx.Response(502, content=b""),
        lambda: refusal(500, "Common.Unexpected", "Unexpected error: x"),
        lambda: refusal(500, "Agent.NoMaster"),
        lambda: refusal(400, "MySQL.Error", "the database does not answer"),
        lambda: refusal(500, code=1002),
        lambda: httpx.Response(429, content=b"slow down"),
    ],
)
async def test_passing_troubles_are_overcome(
    passing: Callable[[], httpx.Response | Exception],
) -> None:
    agent = Agent()
    agent.in_turn(DAG, passing(), ok(a_dag()))
    assert not (await a_provider(agent).evaluate(THE_DAG, DATES)).closed
    keys = [members["keys"] for _, members in agent.headers]
    assert len(set(keys)) == 2, "each attempt has a header of its own"


async def test_a_read_is_sent_four_times_at_most() -> None:
    agent, clock = Agent(), FakeClock()
    agent.on(DAG, lambda _: refusal(500, "Common.Unexpected"))
    with pytest.raises(Unavailable):
        await a_provider(agent, clock=clock).evaluate(THE_DAG, DATES)
    assert len(agent.headers) == 4
    assert clock.slept == [1, 2, 4]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "Task.GenericID.Invalid"), InvalidRequest),
        (refusal(400, "Common.IllegalArgument"), InvalidRequest),
        (refusal(400, code=1001), InvalidRequest),
        (refusal(400, "Request.Header.NotFound"), InvalidRequest),
        (refusal(404, "Common.NotFound"), InvalidRequest),
        (refusal(403, "Surprise"), Forbidden),
        (refusal(401, f"{SECURITY}Expired"), Unauthenticated),
        (refusal(401, f"{SECURITY}Header.UriMismatch"), Unauthenticated),
        (refusal(401, f"{SECURITY}SessionInvalid", code=10008), Unauthenticated),
        (refusal(401, "Surprise"), Unauthenticated),
        (refusal(400, f"{SECURITY}IncorrectOceanbasePassword", code=10008), Unauthenticated),
        (refusal(400, f"{SECURITY}IncorrectAgentPassword"), Unauthenticated),
        (refusal(401, "Common.Unauthorized"), Unauthenticated),
        (refusal(400, code=2), Unauthenticated),
        (refusal(200, "Surprise"), UnexpectedResponse),
        (httpx.Response(401, content=b"<html>"), Unauthenticated),
        (httpx.Response(403, content=b"<html>"), Forbidden),
        (httpx.Response(404, content=b"<html>"), InvalidRequest),
        (httpx.Response(302, content=b""), UnexpectedResponse),
        (httpx.Response(204, content=b""), UnexpectedResponse),
        (httpx.Response(200, content=b"<html>"), UnexpectedResponse),
        (httpx.Response(200, json={"data": a_dag()}), UnexpectedResponse),
        (httpx.Response(200, json=an_envelope(error={"message": "x"})), UnexpectedResponse),
    ],
    ids=lambda value: str(value)[-60:],
)
async def test_lasting_troubles_are_told_at_once(
    answer: httpx.Response, error: type[ProviderError]
) -> None:
    agent = Agent()
    agent.on(DAG, answer)
    with pytest.raises(error) as caught:
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert (caught.value.provider, caught.value.operation) == ("obshell", "get_dag")
    assert len(agent.headers) == 1


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (refusal(401, f"{SECURITY}Expired"), "clocks"),
        (refusal(401, f"{SECURITY}Header.UriMismatch"), "rewrites paths"),
        (refusal(400, f"{SECURITY}IncorrectAgentPassword"), "`agentPassword`"),
        (refusal(401, code=10008), "root@sys"),
        (refusal(400, code=2), "before 4.2.3"),
        (refusal(400, "Request.Header.NotFound"), "before 4.2.3"),
        (refusal(404, "Common.NotFound"), "before 4.2.3"),
        (httpx.Response(200, content=b"<html>"), "is an OBShell agent"),
    ],
)
async def test_a_refusal_says_what_to_look_at(answer: httpx.Response, hint: str) -> None:
    agent = Agent()
    agent.on(DAG, answer)
    with pytest.raises(ProviderError) as caught:
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert hint in caught.value.hint


async def test_a_throttling_proxy_is_given_up_on_in_the_end() -> None:
    agent = Agent()
    agent.on(DAG, lambda _: httpx.Response(429, content=b""))
    with pytest.raises(RateLimited):
        await a_provider(agent).evaluate(THE_DAG, DATES)


@pytest.mark.parametrize(
    "data", [None, {}, {"public_key": None}, {"public_key": "AAAA"}, {"public_key": 7}]
)
async def test_a_key_that_is_none_is_no_reason_to_send_the_password(data: object) -> None:
    agent = Agent()
    agent.on(SECRET, ok(data))
    with pytest.raises(UnexpectedResponse):
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert agent.paths() == ["/secret"]


async def test_limits_of_the_connection_space_reads_out() -> None:
    agent, clock = Agent(), FakeClock()
    agent.on(DAG, lambda _: ok(a_dag()))
    limited = a_connection(limits=Limits(read_qps=2))
    provider = a_provider(agent, connection=limited, clock=clock)
    await provider.evaluate(THE_DAG, DATES)
    assert clock.slept == [0.5]


async def test_a_simulator_is_not_spared_unless_one_asks_for_it() -> None:
    agent, clock = Agent(), FakeClock()
    agent.on(DAG, lambda _: ok(a_dag()))
    simulated = a_connection(limits=Limits(), realm=Realm.SIMULATOR)
    provider = a_provider(agent, connection=simulated, clock=clock)
    for _ in range(9):
        await provider.evaluate(THE_DAG, DATES)
    assert clock.slept == []


CAPTURED_ERRORS = [
    pytest.param(answered["status"], answered.get("error"), id=f"{path.stem}-{number}")
    for path in sorted(VECTORS.glob("*.json"))
    for number, request in enumerate(load(path.name).get("exchange", []))
    if request["method"] == "GET" and (answered := request["answered_with"])["status"] != 200
]


@pytest.mark.parametrize(("status", "error"), CAPTURED_ERRORS)
async def test_every_refusal_that_the_sdk_was_given_is_understood(
    status: int, error: dict[str, object] | None
) -> None:
    agent = Agent()
    body = None if error is None else an_envelope(successful=False, status=status, error=error)
    agent.on(
        CLUSTER_LIST,
        lambda _: httpx.Response(status, json=body) if body else httpx.Response(status, text="x"),
    )
    with pytest.raises(ProviderError) as caught:
        await a_provider(agent).evaluate(CLUSTER_QUIET, DATES)
    assert type(caught.value) is not UnexpectedResponse
    assert not isinstance(caught.value, InvalidRequest)
    if error is not None:
        assert str(error["errCode"]) in caught.value.summary


SECRETS = ("canary", PASSWORD, AGENT_PASSWORD)


def echo(request: httpx.Request) -> str:
    """What a careless server may repeat of a request, and of what it read in it."""
    return f'{request.headers} "{PASSWORD}" {AGENT_PASSWORD}'


@pytest.mark.parametrize(
    "echoing",
    [
        lambda said: refusal(400, "Common.IllegalArgument", said),
        lambda said: refusal(401, f"{SECURITY}IncorrectOceanbasePassword", said),
        lambda said: refusal(401, f"{said} {said}", said),
        lambda said: httpx.Response(500, text=said),
        lambda said: httpx.Response(200, text=said[-len(AGENT_PASSWORD) - 60 :]),
        lambda said: ok({"id": 1.5, "name": said}),
        lambda said: ok(a_dag(id=said)),
        lambda said: ok(a_dag(stage=said)),
        lambda said: ok(a_dag(state=said[-90:])),
        lambda said: ok(a_dag("FAILED", name=said[-90:])),
    ],
)
async def test_no_secret_reaches_an_error_or_a_reason(
    echoing: Callable[[str], httpx.Response],
) -> None:
    agent = Agent()
    agent.on(DAG, lambda request: echoing(echo(request)))
    provider = a_provider(agent, connection=WITH_AGENT_PASSWORD)
    try:
        told = str(await provider.evaluate(THE_DAG, DATES))
    except ProviderError as error:
        causes = [error, error.__cause__]
        told = " ".join(f"{item!r} {getattr(item, '__dict__', '')}" for item in causes)
        told += error.summary + error.hint + str(error.request_id)
    sent = agent.requests[-1].headers["X-OCS-Header"]
    hidden = (*SECRETS, sent, *(members["keys"] for _, members in agent.headers))
    assert not [item for item in hidden if item in told]
    assert "canary" not in repr(provider)


async def test_a_password_cut_by_the_end_of_a_message_is_not_shown_either() -> None:
    agent = Agent()
    agent.on(DAG, httpx.Response(200, text="x" * 70 + PASSWORD))
    with pytest.raises(UnexpectedResponse) as caught:
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert PASSWORD[:5] not in caught.value.summary
    assert "repeats a password" in caught.value.summary


@pytest.mark.parametrize("only_ascii", [True, False])
async def test_a_password_that_json_escapes_is_found_too(*, only_ascii: bool) -> None:
    agent = Agent()
    body = an_envelope(data={"id": {"said": 'qu"o\u00e9te'}})
    text = json.dumps(body, ensure_ascii=only_ascii)
    agent.on(DAG, httpx.Response(200, text=text))
    provider = a_provider(agent, connection=a_connection(password=Secret('qu"o\u00e9te')))
    with pytest.raises(UnexpectedResponse, match="repeats a password"):
        await provider.evaluate(THE_DAG, DATES)


async def test_a_password_in_the_log_of_a_task_is_not_shown() -> None:
    agent = Agent()
    task = a_task(task_logs=[f"login with {PASSWORD} and {PASSWORD}-too failed"])
    agent.on(DAG, ok(a_dag("FAILED", nodes=[a_node(sub_tasks=[task])])))
    connection = a_connection(agent_password=Secret(f"{PASSWORD}-too"))
    reading = await a_provider(agent, connection=connection).evaluate(THE_DAG, DATES)
    [reason] = {text for _, text in reading.closed}
    assert reason.endswith("login with *** and *** failed")


async def test_a_short_password_neither_spoils_answers_nor_opens_a_gate() -> None:
    agent = Agent()
    agent.on(AGENT_LIST, listed())
    agent.on(CLUSTER_LIST, listed(a_dag("RUNNING")))
    provider = a_provider(agent, connection=a_connection(password=Secret("1")))
    assert (await provider.evaluate(CLUSTER_QUIET, DATES)).closed
    agent.on(CLUSTER_LIST, listed())
    assert not (await provider.evaluate(CLUSTER_QUIET, DATES)).closed
