"""The steps of a request over a real connection, by name: see `model.steps`.

Source: trace events of httpcore, documented at encode.io/httpcore/extensions (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from reconciler.model.steps import Edge, Exchange, Steps, Wire, wire_point

_PHASES = {
    "connection.connect_tcp": Wire.CONNECT,
    "connection.start_tls": Wire.TLS,
    "http11.send_request_headers": Wire.HEAD,
    "http11.send_request_body": Wire.BODY,
    "http11.receive_response_headers": Wire.ANSWER_HEAD,
    "http11.receive_response_body": Wire.ANSWER_BODY,
}

_EDGES = {"started": Edge.STARTED, "complete": Edge.COMPLETE}


def watch_wire(request: httpx.Request, kind: Exchange, steps: Steps) -> None:
    """Have `steps` told of each phase of a request; an in-process transport has none."""

    async def trace(event: str, info: Mapping[str, object]) -> None:
        del info
        name, _, edge = event.rpartition(".")
        if name in _PHASES and edge in _EDGES:
            steps.reached(wire_point(kind, _PHASES[name], _EDGES[edge]))

    request.extensions["trace"] = trace
