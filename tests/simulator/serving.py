"""Runs `serve` in a process of its own, as people and other languages' clients meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.simulator import AccessKey

ROOT = Path(__file__).parents[2]
SERVE = """
import json, sys
from pathlib import Path
from reconciler.simulator.server import serve

options = json.loads(sys.argv[1])
for name in ("world", "db", "faults"):
    options[name] = Path(options[name]) if options[name] else None
serve(**options, announce=lambda line: print(line, flush=True))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A simulator on a port."""

    process: subprocess.Popen[str]
    url: str
    key: AccessKey

    @property
    def port(self) -> int:
        port = httpx.URL(self.url).port
        assert port is not None
        return port

    def control(self, method: str, name: str, value: object = None) -> Any:
        with httpx.Client(trust_env=False) as client:
            response = client.request(method, f"{self.url}/_simulator/{name}", json=value)
        assert response.status_code == 200, response.text
        return response.json()

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance_seconds": seconds})

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; the exit code and what stood on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@contextmanager
def serving(
    *,
    world: Path | None = None,
    db: Path | None = None,
    faults: Path | None = None,
    clock: str = "manual",
) -> Iterator[Served]:
    """A served simulator; it is stopped at the end."""
    options = {
        "host": "127.0.0.1",
        "port": 0,
        "world": world and str(world),
        "db": db and str(db),
        "faults": faults and str(faults),
        "clock": clock,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        hello = json.loads(line)
        key = AccessKey(id=hello["access_key_id"], secret=hello["access_key_secret"])
        yield Served(process=process, url=hello["url"], key=key)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
