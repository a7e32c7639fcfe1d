"""Every request of a connection passes here: signing, pacing, retries of reads, the service's clock.

Reads are sent up to four times, each time with a signature of its own, only for answers that say "later"
(`RateLimited`, `Unavailable`), and only as long as the budget for retries lasts. Creates are sent once.
What the service throttles goes slower, and a service that fails again and again is left alone.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx

from reconciler.model.calls import Prepared, WireCall
from reconciler.model.errors import ProviderError, RateLimited, Unavailable
from reconciler.model.outcomes import CreateOutcome, Refused, Unknown
from reconciler.model.seams import Clock, IdSource
from reconciler.model.steps import Exchange, Steps
from reconciler.providers.dataworks.codes import EXPIRED_TIMESTAMP, is_throttled
from reconciler.providers.dataworks.credentials import KeySource
from reconciler.providers.dataworks.envelopes import open_envelope
from reconciler.providers.dataworks.failures import (
    failed_read,
    not_asked,
    unanswered_read,
    unfitting_read,
    unreadable_read,
)
from reconciler.providers.dataworks.json_fields import BadAnswer, Fields
from reconciler.providers.dataworks.outcomes import NOT_SENT, classify_answer, classify_failure
from reconciler.providers.dataworks.server_clock import ServerClock
from reconciler.providers.dataworks.signing import (
    NONCE_LENGTH,
    VALIDITY,
    Acs3Auth,
    SigningKey,
    sha256_hex,
)
from reconciler.providers.dataworks.wire_requests import build_request
from reconciler.providers.http import Answer, TransportFailure, exchange
from reconciler.providers.pacing import LONGEST_REST_SECONDS, READ_ATTEMPTS, Backoff, Pacer
from reconciler.providers.protecting import Breaker, RetryBudget
from reconciler.providers.wiretap import watch_wire

T = TypeVar("T")

#: One line per request at level debug: never a parameter, a header or a body.
_LOG = logging.getLogger(__name__)

#: A prepared create that waited longer than this is not sent: what was decided may no longer hold.
SEND_WITHIN_SECONDS = 5.0

#: A call waits so long for a service that is left alone, and looks so often whether it is back.
BREAKER_PATIENCE_SECONDS = 60.0
BREAKER_LOOKED_AT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAnswer(Generic[T]):
    """A read that succeeded. The service's clock stood at `began_at`, or later, when it was sent.

    `began_at` is None where the answer does not tell its time.
    """

    value: T
    began_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignedCreate:
    """What `Prepared.request` holds; `key` is kept to mask it in whatever the service answers."""

    request: httpx.Request
    key: SigningKey
    signed_monotonic: float


class Gateway:
    """Sends signed requests to one base URL."""

    def __init__(  # noqa: PLR0913 - each part is a seam of its own
        self,
        *,
        base_url: str,
        read_client: httpx.AsyncClient,
        create_client: httpx.AsyncClient,
        key: KeySource,
        clock: Clock,
        ids: IdSource,
        backoff: Backoff,
        read_pacer: Pacer,
        create_pacer: Pacer,
        skew: dt.timedelta,
        steps: Steps,
    ) -> None:
        """Join the parts; the clients stay their owner's to close.

        Args:
            base_url: Scheme and host, no trailing slash.
            read_client: Sends reads.
            create_client: Sends creates; never uses a connection again.
            key: Asked for each signature.
            clock: Our time.
            ids: Nonces.
            backoff: Waits between attempts of a read.
            read_pacer: Spacing of reads.
            create_pacer: Spacing of creates.
            skew: Added to the validity of a create's signature.
            steps: Is told of each step over a real connection.
        """
        self.base_url = base_url
        self._read_client = read_client
        self._create_client = create_client
        self._clock = clock
        self._backoff = backoff
        self._read_pacer = read_pacer
        self._retries = RetryBudget()
        self._breaker = Breaker(clock)
        # What answers reads well may fail every create, each of unknown outcome.
        self._create_breaker = Breaker(clock)
        self._create_pacer = create_pacer
        self._skew = skew
        self._steps = steps
        self.server_clock = ServerClock(clock)
        self.calls_made = 0
        self._auth = Acs3Auth(
            key=key,
            now=self.server_clock.signing_time,
            nonce=lambda: ids.token(NONCE_LENGTH),
        )

    async def read(
        self,
        operation: str,
        parameters: Mapping[str, str],
        convert: Callable[[Fields], T],
        *,
        attempts: int = READ_ATTEMPTS,
    ) -> ReadAnswer[T]:
        """Send a read until it is answered.

        Args:
            operation: The vendor's name.
            parameters: Its parameters.
            convert: Reads the body of an answer that does not say it failed; may raise `BadAnswer`.
            attempts: How often it may be sent; 1 for calls that change something.

        Raises:
            ProviderError: What the last attempt met.
        """
        attempt = 1
        self._retries.earn()
        while True:
            await self._wait_for(self._breaker, operation)
            try:
                return await self._watched(self._read_once(operation, parameters, convert))
            except (RateLimited, Unavailable) as error:
                asked = _asked_seconds(error)
                too_long = asked > LONGEST_REST_SECONDS
                if attempt == attempts or too_long or not self._retries.spend():
                    raise
            await self._clock.sleep(asked + self._backoff.wait_seconds(attempt))
            attempt += 1

    async def _watched(self, reading: Awaitable[ReadAnswer[T]]) -> ReadAnswer[T]:
        """Await one read, and learn from how it went how fast the next may go."""
        try:
            answer = await reading
        except RateLimited as error:
            self._read_pacer.throttled(error.retry_after_seconds)
            self._breaker.failed()
            raise
        except Unavailable:
            self._breaker.failed()
            raise
        except ProviderError:
            self._breaker.passed()
            raise
        self._read_pacer.passed()
        self._breaker.passed()
        return answer

    async def _wait_for(self, breaker: Breaker, operation: str) -> None:
        """Wait until a breaker lets a call through.

        Raises:
            NotAsked: It did not for as long as we wait.
        """
        give_up = self._clock.monotonic() + BREAKER_PATIENCE_SECONDS
        while (left := breaker.closed_for()) > 0:
            if self._clock.monotonic() >= give_up:
                raise not_asked(operation, left)
            await self._clock.sleep(min(left, BREAKER_LOOKED_AT_SECONDS))

    async def _read_once(
        self, operation: str, parameters: Mapping[str, str], convert: Callable[[Fields], T]
    ) -> ReadAnswer[T]:
        await self._read_pacer.turn()
        request = build_request(self.base_url, operation, parameters)
        own_time = self.server_clock.signs_with_own
        key, _ = self._auth.sign(request)
        started = self._clock.monotonic()
        try:
            answer = _masked(await self._send(Exchange.READ, request), key)
        except TransportFailure as failure:
            raise unanswered_read(operation, str(failure)) from failure
        took = dt.timedelta(seconds=self._clock.monotonic() - started)
        try:
            envelope = open_envelope(answer, operation)
        except BadAnswer as error:
            raise unreadable_read(operation, answer, str(error)) from error
        if envelope.success is False:
            if envelope.code == EXPIRED_TIMESTAMP and own_time:
                self.server_clock.distrust_own()
                if not self.server_clock.signs_with_own:
                    return await self._read_once(operation, parameters, convert)
            raise failed_read(operation, envelope)
        try:
            value = convert(envelope.body)
        except BadAnswer as error:
            raise unfitting_read(operation, str(error), envelope.request_id) from error
        # The header is rounded down and written before we have it, so this is never too late.
        began_at = None if answer.server_time is None else answer.server_time - took
        return ReadAnswer(value=value, began_at=began_at)

    def prepare(self, call: WireCall) -> Prepared:
        """Sign a create, with a nonce of its own, and say until when the service may execute it.

        Raises:
            Unauthenticated: There is no key to sign with.
        """
        request = build_request(self.base_url, call.operation, call.parameters)
        key, signed_at = self._auth.sign(request)
        server_now = self.server_clock.server_now()
        latest_start = signed_at if server_now is None else max(signed_at, server_now)
        identity = (request.method.encode(), str(request.url).encode(), request.content)
        return Prepared(
            operation=call.operation,
            request=_SignedCreate(
                request=request, key=key, signed_monotonic=self._clock.monotonic()
            ),
            request_digest=sha256_hex(b"\n".join(identity)),
            signed_at=signed_at,
            valid_until=latest_start + VALIDITY + self._skew,
        )

    async def take_create_turn(self, operation: str) -> None:
        """Wait until the connection's limits, and the service, allow one more create.

        Asked before signing, so that no wait falls between signing and sending.

        Raises:
            NotAsked: The service failed too often to be asked now.
        """
        await self._wait_for(self._create_breaker, operation)
        await self._create_pacer.turn()

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Send a prepared create once. Never raises for anything the network or service does."""
        if not isinstance(prepared.request, _SignedCreate):
            raise TypeError("prepared by another provider")
        signed = prepared.request
        if self._clock.monotonic() - signed.signed_monotonic > SEND_WITHIN_SECONDS:
            return Refused(
                code=NOT_SENT,
                message=f"not sent: it was signed more than {SEND_WITHIN_SECONDS:g} s ago",
                transient=True,
            )
        try:
            answer = await self._send(Exchange.CREATE, signed.request)
        except TransportFailure as failure:
            self._create_breaker.failed()
            return classify_failure(failure)
        outcome = classify_answer(prepared.operation, _masked(answer, signed.key))
        self._learn(outcome)
        return outcome

    def _learn(self, outcome: CreateOutcome) -> None:
        """Learn from how a create went how fast the next may go, and whether our clock is off."""
        if isinstance(outcome, Refused) and is_throttled(outcome.code):
            self._create_pacer.throttled(outcome.retry_after_seconds)
        if isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.transient):
            self._create_breaker.failed()
            return
        self._create_pacer.passed()
        self._create_breaker.passed()
        if isinstance(outcome, Refused) and outcome.code == EXPIRED_TIMESTAMP:
            self.server_clock.distrust_own()

    async def _send(self, kind: Exchange, request: httpx.Request) -> Answer:
        client = self._create_client if kind is Exchange.CREATE else self._read_client
        watch_wire(request, kind, self._steps)
        self.calls_made += 1
        operation, started = request.headers["x-acs-action"], self._clock.monotonic()
        try:
            answer = await exchange(client, request)
        except TransportFailure as failure:
            _LOG.debug("%s: %s", operation, failure)
            raise
        took = 1000 * (self._clock.monotonic() - started)
        _LOG.debug("%s: HTTP %s after %.0f ms", operation, answer.status, took)
        self.server_clock.learn(answer.server_time)
        return answer


def _asked_seconds(error: RateLimited | Unavailable) -> float:
    """How long a rest the service asks for."""
    asked = error.retry_after_seconds if isinstance(error, RateLimited) else None
    return asked or 0.0


def _masked(answer: Answer, key: SigningKey) -> Answer:
    """An answer without our secrets, which error pages may echo."""
    return dataclasses.replace(answer, body=key.masked(answer.body))
