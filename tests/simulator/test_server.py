"""The simulator on a real socket."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from reconciler.simulator.clocks import system_time
from tests.simulator.harness import FakeTime, backfill_parameters, milliseconds, signed_request
from tests.simulator.serving import ROOT, Served, serving


def create(served: Served) -> httpx.Response:
    time = FakeTime()
    time.ms = system_time()
    request = signed_request(
        "RunCycleDagNodes",
        backfill_parameters("2020-05-20"),
        date=time.stamp(),
        key=served.key,
        url=f"{served.url}/",
    )
    with httpx.Client(trust_env=False) as client:
        return client.send(request)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_itself_serves_and_ends_quietly_on_a_signal(number: int) -> None:
    with serving() as served:
        assert create(served).json()["Success"] is True
        assert len(served.control("GET", "ledger")) == 1
        assert served.stop(number) == (0, "")


def test_faults_break_real_connections(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    effects = ("execute_then_drop", "drop", "reset_mid_body", "garbage", "http", "delay")
    lines = [
        f"- {{operation: RunCycleDagNodes, nth: {n}, effect: {effect}, seconds: 0.01}}\n"
        for n, effect in enumerate(effects, start=1)
    ]
    faults.write_text("".join(lines))
    with serving(faults=faults) as served:
        executed = []
        for _ in effects[:3]:
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                create(served)
            executed.append(len(served.control("GET", "ledger")))
        assert executed == [1, 1, 2]
        assert create(served).text.startswith("<html>")
        assert create(served).status_code == 500
        assert create(served).json()["Success"] is True
        verdicts = [entry["verdict"] for entry in served.control("GET", "requests")]
        assert verdicts == [f"faulted:{effect}" for effect in effects]


def test_state_survives_a_restart_with_a_database(tmp_path: Path) -> None:
    with serving(db=tmp_path / "s.db") as first:
        create(first)
        ledger = first.control("GET", "ledger")
        first.stop()
    with serving(db=tmp_path / "s.db") as second:
        assert second.key == first.key
        assert second.control("GET", "ledger") == ledger


def test_a_killed_server_has_kept_what_it_answered(tmp_path: Path) -> None:
    with serving(db=tmp_path / "s.db") as first:
        answered = create(first).json()["Data"]
        first.stop(signal.SIGKILL)
    with serving(db=tmp_path / "s.db") as second:
        assert [entry["dag_ids"] for entry in second.control("GET", "ledger")] == [answered]


def test_a_forwarded_header_does_not_change_who_the_peer_is() -> None:
    with serving() as served, httpx.Client(trust_env=False) as client:
        url = f"{served.url}/_simulator/ledger"
        assert client.get(url, headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 200


def test_a_large_body_is_refused_and_the_server_goes_on() -> None:
    with serving() as served, httpx.Client(trust_env=False) as client:
        response = client.post(served.url, content=b"x" * (8 * 1024 * 1024 + 1))
        assert response.status_code == 413
        assert create(served).status_code == 200


def test_answers_carry_one_date_and_it_is_the_gateways() -> None:
    with serving() as served:
        served.advance(86_400)
        response = create(served)
        dates = response.headers.get_list("date")
        assert len(dates) == 1
        shown = milliseconds(parsedate_to_datetime(dates[0]))
        assert shown - system_time() > 86_000_000


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = {
            "host": "127.0.0.1",
            "port": taken.getsockname()[1],
            "world": None,
            "db": None,
            "faults": None,
            "clock": "real",
        }
        code = (
            "import json, sys\nfrom reconciler.simulator.server import serve\n"
            "try:\n    serve(**json.loads(sys.argv[1]), announce=print)\n"
            "except OSError as err:\n    sys.exit(f'cannot listen: {err.errno}')\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, json.dumps(options)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert ended.returncode == 1
    assert "cannot listen" in ended.stderr


def test_the_simulator_can_be_imported_without_uvicorn() -> None:
    code = "import sys, reconciler.simulator; sys.exit('uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
