"""One OBShell agent: its public key is fetched once, requests are signed here, and answers opened."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TypeVar

import httpx

from reconciler.model.seams import Clock
from reconciler.providers.channel import Channel
from reconciler.providers.failures import unfitting_read
from reconciler.providers.http import USER_AGENT, Answer
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.obshell.envelopes import Envelope, open_envelope
from reconciler.providers.obshell.failures import (
    PROVIDER,
    NotAdmitted,
    Remedy,
    failed_read,
    unreadable_read,
)
from reconciler.providers.obshell.passwords import Passwords
from reconciler.providers.obshell.signing import (
    AGENT_HEADER,
    CLUSTER_HEADER,
    LIFETIME,
    RandomBytes,
    SealedHeader,
    ServerKey,
    seal,
)

T = TypeVar("T")

PREFIX = "/api/v1"

_HEADERS = {
    "accept": "application/json",
    # Answers are small, and undecoded ones are easier to bound.
    "accept-encoding": "identity",
    # Error messages in English.
    "accept-language": "en",
    "user-agent": USER_AGENT,
}


class Gateway:
    """Sends reads to one agent. Everything it raises is free of our secrets."""

    def __init__(
        self,
        channel: Channel,
        *,
        base_url: str,
        passwords: Passwords,
        clock: Clock,
        random: RandomBytes = secrets.token_bytes,
    ) -> None:
        """Join the parts.

        Args:
            channel: The way to the agent.
            base_url: Scheme and host, no trailing slash.
            passwords: Asked for each signature.
            clock: Our time, for as long as the agent's is not known.
            random: Makes AES keys.
        """
        self.base_url = base_url
        self.channel = channel
        self._passwords = passwords
        self._clock = clock
        self._random = random
        self._server_key: ServerKey | None = None
        self._handshake = asyncio.Lock()
        self._asks_agent_password = False

    async def read_open(self, operation: str, target: str, convert: Callable[[Fields], T]) -> T:
        """Send a read that needs no password until it is answered.

        Args:
            operation: The name of the SDK's method.
            target: Path below the prefix, and query.
            convert: Reads the body of an answer that succeeded; may raise `BadAnswer`.

        Raises:
            ProviderError: What the last attempt met.
        """
        return await self.channel.read(
            operation, lambda: self._read_once(operation, self._request(target), None, convert)
        )

    async def read(
        self,
        operation: str,
        target: str,
        convert: Callable[[Fields], T],
        *,
        of_proxy: bool = False,
    ) -> T:
        """Send a signed read until it is answered, each time with a header of its own.

        If the agent has another key by now, or asks for its own password, the read is repeated once.

        Args:
            operation: The name of the SDK's method.
            target: Path below the prefix, and query.
            convert: Reads the body of an answer that succeeded; may raise `BadAnswer`.
            of_proxy: Whether it is about a proxy, for which the agent wants its own password.

        Raises:
            ProviderError: What the last attempt met.
        """
        wants_agent = (of_proxy or self._asks_agent_password) and self._passwords.has_agent
        header = AGENT_HEADER if wants_agent else CLUSTER_HEADER
        self._passwords.for_header(header)  # without one, not even the key is asked for
        key = await self._key()
        try:
            return await self._read_signed(operation, target, convert, key, header)
        except NotAdmitted as refusal:
            if refusal.remedy is Remedy.AGENT_PASSWORD:
                if wants_agent or not self._passwords.has_agent:
                    raise
                self._asks_agent_password, header = True, AGENT_HEADER
            elif refusal.remedy is Remedy.NONE:
                raise
            else:
                used, key = key, await self._key(instead_of=key)
                if refusal.remedy is Remedy.PERHAPS_NEW_KEY and key == used:
                    raise
        return await self._read_signed(operation, target, convert, key, header)

    async def _key(self, *, instead_of: ServerKey | None = None) -> ServerKey:
        """The agent's key, asked for once; again if the one we have is `instead_of`."""
        async with self._handshake:
            if self._server_key is None or self._server_key is instead_of:
                self._server_key = await self.read_open("get_secret", "/secret", _read_key)
            return self._server_key

    async def _read_signed(
        self,
        operation: str,
        target: str,
        convert: Callable[[Fields], T],
        key: ServerKey,
        header: str,
    ) -> T:
        return await self.channel.read(
            operation, lambda: self._sign_and_read(operation, target, convert, key, header)
        )

    async def _sign_and_read(
        self,
        operation: str,
        target: str,
        convert: Callable[[Fields], T],
        key: ServerKey,
        header: str,
    ) -> T:
        request = self._request(target)
        sealed = seal(
            key,
            name=header,
            password=self._passwords.for_header(header),
            target=request.url.raw_path.decode("ascii"),
            expires_at=(self.channel.server_clock.server_now() or self._clock.now()) + LIFETIME,
            random=self._random,
        )
        request.headers[sealed.name] = sealed.value
        return await self._read_once(operation, request, sealed, convert)

    async def _read_once(
        self,
        operation: str,
        request: httpx.Request,
        sealed: SealedHeader | None,
        convert: Callable[[Fields], T],
    ) -> T:
        mask = _as_it_is if sealed is None else sealed.masked
        answer = (await self.channel.ask(operation, request, mask)).value
        try:
            envelope = open_envelope(answer, operation)
        except BadAnswer as error:
            why = self._told(answer, error)
            raise unreadable_read(operation, answer.status, why) from None
        if not envelope.successful:
            masked, connection = self._passwords.masked, self._passwords.connection
            raise failed_read(connection, operation, envelope, masked)
        self._learn_time(answer, envelope)
        try:
            return convert(envelope.body)
        except BadAnswer as error:
            why = self._told(answer, error)
            raise unfitting_read(PROVIDER, operation, why, envelope.trace_id) from None

    def _told(self, answer: Answer, error: BadAnswer) -> str:
        """What is wrong with an answer; it may quote a cut text, in which no password would be found."""
        if self._passwords.stand_in(answer.body):
            return "the answer cannot be read, and is not shown because it repeats a password"
        return str(error)

    def _learn_time(self, answer: Answer, envelope: Envelope) -> None:
        """Where HTTP does not tell the agent's time, its own timestamp does."""
        if answer.server_time is None:
            self.channel.server_clock.learn(envelope.timestamp)

    def _request(self, target: str) -> httpx.Request:
        return httpx.Request("GET", f"{self.base_url}{PREFIX}{target}", headers=_HEADERS)


def _as_it_is(body: bytes) -> bytes:
    return body


def _read_key(body: Fields) -> ServerKey:
    data = body.child("data")
    text = data.text("public_key")
    if text is None:
        raise BadAnswer(f"{data.where} has no public_key")
    try:
        return ServerKey.parse(text)
    except ValueError as error:
        raise BadAnswer(f"{data.where}.public_key: {error}") from error
