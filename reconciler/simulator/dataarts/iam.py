"""The little of IAM that clients of DataArts need: tokens from a password, and project ids.

Paths, fields and the lifetime of 24 hours are from Huawei's public documentation; how IAM words a
refusal is a guess.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.simulator.dataarts.call import Call
from reconciler.simulator.dataarts.signatures import unauthorized
from reconciler.simulator.errors import GatewayError, ServiceRefusal
from reconciler.simulator.messages import Answer, json_answer
from reconciler.simulator.session import Session

_LIFETIME_MS = 24 * 3_600_000
_DEFAULT_PROJECT = "cn-north-4"


def create_token(call: Call) -> Answer:
    """Issue a token: for a project it opens DataArts, for anything else it does not."""
    auth = _auth(call)
    identity = auth["identity"]
    user = _mapping(_mapping(identity, "password"), "user")
    domain = _mapping(user, "domain")
    if identity.get("methods") != ["password"]:
        raise _bad_request("only the method password is known")
    name, domain_name = _text(user, "name"), _text(domain, "name")
    given = user.get("password")
    secret = call.session.key.secret
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), secret.encode()):
        raise GatewayError(401, "IAM.0101", "The username or password is wrong.")
    project = _project(auth)
    session = call.session
    token = _store(session, project)
    body: dict[str, object] = {
        "token": {
            "methods": ["password"],
            "issued_at": _iso(session.gateway_ms),
            "expires_at": _iso(session.gateway_ms + _LIFETIME_MS),
            "user": {"name": name, "domain": {"name": domain_name}},
            **({"project": {"id": project}} if project else {}),
            **({} if call.query().flag("nocatalog") else {"catalog": []}),
        }
    }
    return replace(json_answer(201, body), headers=(("x-subject-token", token),))


def list_projects(call: Call) -> Answer:
    """The one project of a region; every name that is asked for is one."""
    name = call.query().optional("name") or _DEFAULT_PROJECT
    project = {"id": project_id(name), "name": name, "enabled": True, "is_domain": False}
    return json_answer(200, {"links": {"next": None, "previous": None}, "projects": [project]})


def project_id(name: str) -> str:
    """The id of the project of this name: 32 hexadecimal digits that follow from the name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def check_token(session: Session, token: str, project: str | None) -> None:
    """Let a token through.

    Args:
        session: The request.
        token: What the client sent as `X-Auth-Token`.
        project: The project of the path; None where there is none.

    Raises:
        GatewayError: It was never issued, has expired, or is for something else: 401 with APIG.0301.
    """
    row = session.connection.execute(
        "SELECT project, expires_ms FROM iam_tokens WHERE token = ?", (token,)
    ).fetchone()
    if row is None or row[1] <= session.gateway_ms:
        raise unauthorized("decrypt token fail")
    if project is not None and row[0] != project:
        raise unauthorized("the token is not for this project")


def refusal(error: GatewayError) -> Answer:
    """How IAM refuses."""
    titles = {400: "Bad Request", 401: "Unauthorized"}
    title = titles.get(error.status, error.code)
    value = {"error": {"code": error.status, "message": error.message, "title": title}}
    return json_answer(error.status, value)


def _store(session: Session, project: str) -> str:
    """Remember a new token, and forget those that have expired."""
    connection: sqlite3.Connection = session.connection
    connection.execute("DELETE FROM iam_tokens WHERE expires_ms <= ?", (session.gateway_ms,))
    # The request id is random, and only who knows the secret can make a token of it.
    secret = session.key.secret.encode()
    token = hmac.new(secret, session.request_id.encode(), hashlib.sha256).hexdigest()
    connection.execute(
        "INSERT INTO iam_tokens VALUES (?, ?, ?)",
        (token, project, session.gateway_ms + _LIFETIME_MS),
    )
    return token


def _auth(call: Call) -> Mapping[str, Any]:
    try:
        auth = _mapping(call.body().values, "auth")
    except ServiceRefusal as err:
        raise _bad_request(err.message) from err
    _mapping(auth, "identity")
    return auth


def _project(auth: Mapping[str, Any]) -> str:
    """The id of the project that a token is asked for; "" for any other scope."""
    scope = auth.get("scope")
    project = scope.get("project") if isinstance(scope, dict) else None
    if not isinstance(project, dict):
        return ""
    if "id" in project:
        return _text(project, "id")
    return project_id(_text(project, "name"))


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    if not isinstance(found, dict):
        raise _bad_request(f"{name} is expected")
    return found


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise _bad_request(f"{name} is expected")
    return found


def _bad_request(reason: str) -> GatewayError:
    return GatewayError(400, "IAM.0011", f"Request body is invalid: {reason}.")


def _iso(moment_ms: int) -> str:
    """`2019-02-13T06:52:13.855000Z`."""
    moment = dt.datetime.fromtimestamp(moment_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
