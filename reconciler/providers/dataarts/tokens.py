"""Tokens of Huawei's IAM: how one is asked for, with a user's name and password.

Source: IAM reference, "Obtaining a User Token Through Password Authentication": POST /v3/auth/tokens, the
token in header X-Subject-Token, `token.expires_at` in the body, 24 hours ahead.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from dataclasses import dataclass

import httpx

from reconciler.model.project import PasswordCredentials, Secret
from reconciler.providers.channel import Channel
from reconciler.providers.dataarts.credentials import no_credentials
from reconciler.providers.dataarts.envelopes import open_envelope
from reconciler.providers.dataarts.failures import PROVIDER, failed_read, unreadable_read
from reconciler.providers.failures import unfitting_read
from reconciler.providers.http import USER_AGENT
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.redacting import redacted

OPERATION = "KeystoneCreateUserTokenByPassword"

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and the moment, on the service's clock, after which nobody accepts it."""

    value: Secret
    expires_at: dt.datetime

    def masked(self, data: bytes) -> bytes:
        """`data` without the token, which an error page may echo."""
        return redacted(data, [self.value.reveal()])


class TokenSource:
    """Asks one IAM for tokens of one user, scoped to one project."""

    def __init__(
        self, channel: Channel, *, iam_url: str, user: PasswordCredentials, project_id: str
    ) -> None:
        """Ask over `channel`; nothing is asked before `fetch`."""
        self._channel = channel
        self._iam_url = iam_url
        self._user = user
        self._project_id = project_id

    async def fetch(self) -> Token:
        """Ask for a new token; the old ones stay valid.

        Raises:
            Unauthenticated: The password is not set, or not accepted.
            ProviderError: IAM could not be asked.
        """
        if self._user.password.unset is not None or not self._user.password.reveal():
            why = self._user.password.unset or "the password of the connection is empty"
            raise no_credentials(str(why), "set the variable that reconciler.yaml takes it from")
        return await self._channel.read(OPERATION, self._fetch_once)

    async def _fetch_once(self) -> Token:
        password = self._user.password.reveal()
        request = httpx.Request(
            "POST",
            f"{self._iam_url}/v3/auth/tokens?nocatalog=true",
            headers={
                "accept": "application/json",
                "accept-encoding": "identity",
                "content-type": "application/json;charset=utf-8",
                "user-agent": USER_AGENT,
            },
            content=json.dumps(self._question(password)).encode(),
        )
        told = await self._channel.ask(OPERATION, request, self.masked)
        given = told.value.headers.get("x-subject-token", "")
        # A body that cannot be used is told of, and may repeat the token that came with it.
        answer = dataclasses.replace(told.value, body=redacted(told.value.body, [given]))
        try:
            envelope = open_envelope(answer, OPERATION)
        except BadAnswer as error:
            raise unreadable_read(OPERATION, answer, str(error)) from error
        if envelope.failed:
            raise failed_read(OPERATION, envelope)
        try:
            return _read_token(given, envelope.body)
        except BadAnswer as error:
            raise unfitting_read(PROVIDER, OPERATION, str(error), envelope.request_id) from error

    def masked(self, data: bytes) -> bytes:
        """`data` without the password."""
        return redacted(data, [self._user.password.reveal()])

    def _question(self, password: str) -> dict[str, object]:
        user = {
            "name": self._user.user,
            "password": password,
            "domain": {"name": self._user.domain},
        }
        return {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"id": self._project_id}},
            }
        }


def _read_token(value: str, body: Fields) -> Token:
    if not value:
        raise BadAnswer("the answer has no X-Subject-Token")
    text = body.child("token").text("expires_at") or ""
    if not _MOMENT.fullmatch(text):
        raise BadAnswer("token.expires_at is not a time")
    try:
        expires_at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadAnswer("token.expires_at is not a time") from None
    return Token(value=Secret(value), expires_at=expires_at)
