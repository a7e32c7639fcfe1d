"""One connection's way to its service: every request passes here, whatever signs it.

Reads are sent up to four times, only for answers that say "later" (`RateLimited`, `Unavailable`), and only
as long as the budget for retries lasts. Creates are sent once. What the service throttles goes slower, and
a service that fails again and again is left alone.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx

from reconciler.model.calls import Prepared
from reconciler.model.errors import ProviderError, RateLimited, Unavailable
from reconciler.model.outcomes import CreateOutcome, Refused, Unknown
from reconciler.model.seams import Clock
from reconciler.model.steps import Exchange, Steps
from reconciler.providers.failures import not_asked, unanswered_read
from reconciler.providers.http import Answer, NeverSent, TransportFailure, exchange
from reconciler.providers.pacing import LONGEST_REST_SECONDS, READ_ATTEMPTS, Backoff, Pacer
from reconciler.providers.protecting import Breaker, RetryBudget
from reconciler.providers.server_clock import ServerClock
from reconciler.providers.wiretap import watch_wire

T = TypeVar("T")

#: One line per request at level debug: never a parameter, a header or a body.
_LOG = logging.getLogger(__name__)

#: A prepared create that waited longer than this is not sent: what was decided may no longer hold.
SEND_WITHIN_SECONDS = 5.0

#: A call waits so long for a service that is left alone, and looks so often whether it is back.
BREAKER_PATIENCE_SECONDS = 60.0
BREAKER_LOOKED_AT_SECONDS = 1.0

#: Our own code for a create that never left.
NOT_SENT = "not_sent"

#: Takes our secrets out of an answer, which may repeat them.
Mask = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAnswer(Generic[T]):
    """A read that succeeded. The service's clock stood at `began_at`, or later, when it was sent.

    `began_at` is None where the answer does not tell its time.
    """

    value: T
    began_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignedCreate:
    """What `Prepared.request` holds; `mask` is kept for whatever the service answers."""

    request: httpx.Request
    mask: Mask
    signed_monotonic: float


class Channel:
    """Sends requests over two HTTP clients, which stay their owner's to close.

    Attributes:
        calls_made: Requests sent so far, creates included.
        server_clock: What the answers told of the service's time.
    """

    def __init__(
        self,
        *,
        provider: str,
        read_client: httpx.AsyncClient,
        create_client: httpx.AsyncClient,
        clock: Clock,
        backoff: Backoff,
        read_pacer: Pacer,
        create_pacer: Pacer,
        steps: Steps,
    ) -> None:
        """Join the parts.

        Args:
            provider: Name of the provider, for errors.
            read_client: Sends reads.
            create_client: Sends creates; never uses a connection again.
            clock: Our time.
            backoff: Waits between attempts of a read.
            read_pacer: Spacing of reads.
            create_pacer: Spacing of creates.
            steps: Is told of each step over a real connection.
        """
        self.calls_made = 0
        self.server_clock = ServerClock(clock)
        self._provider = provider
        self._clients = {Exchange.READ: read_client, Exchange.CREATE: create_client}
        self._clock = clock
        self._backoff = backoff
        self._read_pacer = read_pacer
        self._create_pacer = create_pacer
        self._retries = RetryBudget()
        self._breaker = Breaker(clock)
        # What answers reads well may fail every create, each of unknown outcome.
        self._create_breaker = Breaker(clock)
        self._steps = steps

    async def read(
        self,
        operation: str,
        attempt: Callable[[], Awaitable[T]],
        *,
        attempts: int = READ_ATTEMPTS,
    ) -> T:
        """Make a read until it is answered.

        Args:
            operation: The vendor's name.
            attempt: Signs, sends and decodes once, through `ask`.
            attempts: How often it may be made; 1 for calls that change something.

        Raises:
            ProviderError: What the last attempt met.
        """
        made = 0
        self._retries.earn()
        while True:
            await self._wait_for(self._breaker, operation)
            made += 1
            try:
                return await self._watched(attempt)
            except (RateLimited, Unavailable) as error:
                asked = _asked_seconds(error)
                too_long = asked > LONGEST_REST_SECONDS
                if made == attempts or too_long or not self._retries.spend():
                    raise
            await self._clock.sleep(asked + self._backoff.wait_seconds(made))

    async def _watched(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make one attempt, and learn from how it went how fast the next may go."""
        await self._read_pacer.turn()
        try:
            answer = await attempt()
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

    async def ask(self, operation: str, request: httpx.Request, mask: Mask) -> ReadAnswer[Answer]:
        """Send one attempt of a read.

        Raises:
            Unavailable: No complete answer came.
        """
        started = self._clock.monotonic()
        try:
            answer = await self._send(Exchange.READ, operation, request)
        except TransportFailure as failure:
            raise unanswered_read(self._provider, operation, str(failure)) from failure
        took = dt.timedelta(seconds=self._clock.monotonic() - started)
        # The header is rounded down and written before we have it, so this is never too late.
        began_at = None if answer.server_time is None else answer.server_time - took
        return ReadAnswer(value=_masked(answer, mask), began_at=began_at)

    def prepared(
        self,
        operation: str,
        request: httpx.Request,
        *,
        mask: Mask,
        signed_at: dt.datetime,
        validity: dt.timedelta,
    ) -> Prepared:
        """Note a create that has just been signed, and until when the service may execute it.

        Args:
            operation: The vendor's name.
            request: Signed, its body in memory.
            mask: Takes the secrets it was signed with out of answers.
            signed_at: The moment in its signature.
            validity: How long the service accepts it, clock skew included.
        """
        server_now = self.server_clock.server_now()
        latest_start = signed_at if server_now is None else max(signed_at, server_now)
        identity = (request.method.encode(), str(request.url).encode(), request.content)
        return Prepared(
            operation=operation,
            request=_SignedCreate(
                request=request, mask=mask, signed_monotonic=self._clock.monotonic()
            ),
            request_digest=hashlib.sha256(b"\n".join(identity)).hexdigest(),
            signed_at=signed_at,
            valid_until=latest_start + validity,
        )

    async def take_create_turn(self, operation: str) -> None:
        """Wait until the connection's limits, and the service, allow one more create.

        Asked before signing, so that no wait falls between signing and sending.

        Raises:
            NotAsked: The service failed too often to be asked now.
        """
        await self._wait_for(self._create_breaker, operation)
        await self._create_pacer.turn()

    async def create(
        self,
        prepared: Prepared,
        classify: Callable[[Answer], CreateOutcome],
        *,
        throttled: Callable[[str], bool],
    ) -> CreateOutcome:
        """Send a prepared create once. Never raises for anything the network or service does.

        Args:
            prepared: By `prepared`, at most 5 s ago.
            classify: What a complete answer proves.
            throttled: Whether the code of a refusal says that the service throttles us.
        """
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
            answer = await self._send(Exchange.CREATE, prepared.operation, signed.request)
        except TransportFailure as failure:
            self._create_breaker.failed()
            return classify_failure(failure)
        outcome = classify(_masked(answer, signed.mask))
        if isinstance(outcome, Refused) and throttled(outcome.code):
            self._create_pacer.throttled(outcome.retry_after_seconds)
        if isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.transient):
            self._create_breaker.failed()
        else:
            self._create_pacer.passed()
            self._create_breaker.passed()
        return outcome

    async def _wait_for(self, breaker: Breaker, operation: str) -> None:
        """Wait until a breaker lets a call through.

        Raises:
            NotAsked: It did not for as long as we wait.
        """
        give_up = self._clock.monotonic() + BREAKER_PATIENCE_SECONDS
        while (left := breaker.closed_for()) > 0:
            if self._clock.monotonic() >= give_up:
                raise not_asked(self._provider, operation, left)
            await self._clock.sleep(min(left, BREAKER_LOOKED_AT_SECONDS))

    async def _send(self, kind: Exchange, operation: str, request: httpx.Request) -> Answer:
        watch_wire(request, kind, self._steps)
        self.calls_made += 1
        started = self._clock.monotonic()
        try:
            answer = await exchange(self._clients[kind], request)
        except TransportFailure as failure:
            _LOG.debug("%s: %s", operation, failure)
            raise
        took = 1000 * (self._clock.monotonic() - started)
        _LOG.debug("%s: HTTP %s after %.0f ms", operation, answer.status, took)
        self.server_clock.learn(answer.server_time)
        return answer


def classify_failure(failure: TransportFailure) -> CreateOutcome:
    """What it proves that no complete answer to a create came."""
    if isinstance(failure, NeverSent):
        return Refused(code=NOT_SENT, message=str(failure), transient=True)
    return Unknown(cause=f"no answer: {failure}")


def _asked_seconds(error: RateLimited | Unavailable) -> float:
    """How long a rest the service asks for."""
    asked = error.retry_after_seconds if isinstance(error, RateLimited) else None
    return asked or 0.0


def _masked(answer: Answer, mask: Mask) -> Answer:
    headers = {name: mask(value.encode()).decode() for name, value in answer.headers.items()}
    return dataclasses.replace(answer, headers=headers, body=mask(answer.body))
