"""DataArts' API gateway: requests are proved here, and answers opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from reconciler.model.calls import Prepared
from reconciler.model.errors import Unauthenticated
from reconciler.model.outcomes import CreateOutcome, Refused
from reconciler.providers.channel import Channel, ReadAnswer
from reconciler.providers.dataarts.access import Access
from reconciler.providers.dataarts.codes import is_throttled, is_unauthenticated
from reconciler.providers.dataarts.envelopes import Envelope, open_envelope
from reconciler.providers.dataarts.failures import PROVIDER, failed_read, unreadable_read
from reconciler.providers.dataarts.outcomes import classify_answer
from reconciler.providers.failures import unfitting_read
from reconciler.providers.json_fields import BadAnswer
from reconciler.providers.pacing import READ_ATTEMPTS

T = TypeVar("T")

#: Builds an unsigned request, anew for each attempt.
Builder = Callable[[], httpx.Request]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBackfill(Prepared):
    """A signed create with the name that its run will have: the answer does not tell it."""

    name: str


class Gateway:
    """Sends proved requests."""

    def __init__(self, channel: Channel, access: Access, *, skew: dt.timedelta) -> None:
        """Send over `channel`; `skew` is added to the validity of a create's proof."""
        self.channel = channel
        self.access = access
        self._skew = skew

    async def read(
        self,
        operation: str,
        build: Builder,
        convert: Callable[[Envelope], T],
        *,
        attempts: int = READ_ATTEMPTS,
    ) -> ReadAnswer[T]:
        """Send a read until it is answered, each time with a proof of its own.

        A proof that is not accepted is renewed once, where that may help.

        Args:
            operation: The vendor's name.
            build: Its request.
            convert: Reads an answer that does not say it failed; may raise `BadAnswer`.
            attempts: How often it may be sent; 1 for calls that change something.

        Raises:
            ProviderError: What the last attempt met.
        """
        await self.access.ready()
        used = self.access.state
        try:
            return await self._read(operation, build, convert, attempts)
        except Unauthenticated as error:
            # Without a status nothing was sent.
            if error.status is None or not self.access.distrust(used):
                raise
        await self.access.ready()
        return await self._read(operation, build, convert, attempts)

    async def _read(
        self, operation: str, build: Builder, convert: Callable[[Envelope], T], attempts: int
    ) -> ReadAnswer[T]:
        async def once() -> ReadAnswer[T]:
            return await self._read_once(operation, build(), convert)

        return await self.channel.read(operation, once, attempts=attempts)

    async def _read_once(
        self, operation: str, request: httpx.Request, convert: Callable[[Envelope], T]
    ) -> ReadAnswer[T]:
        proof = self.access.prove(request)
        told = await self.channel.ask(operation, request, proof.mask)
        try:
            envelope = open_envelope(told.value, operation)
        except BadAnswer as error:
            raise unreadable_read(operation, told.value, str(error)) from error
        if envelope.failed:
            raise failed_read(operation, envelope)
        try:
            value = convert(envelope)
        except BadAnswer as error:
            raise unfitting_read(PROVIDER, operation, str(error), envelope.request_id) from error
        return ReadAnswer(value=value, began_at=told.began_at)

    def prepare(self, operation: str, request: httpx.Request, name: str) -> PreparedBackfill:
        """Prove a create, and say until when the service may execute it.

        Raises:
            Unauthenticated: There is nothing to prove it with.
        """
        proof = self.access.prove(request)
        prepared = self.channel.prepared(
            operation,
            request,
            mask=proof.mask,
            signed_at=proof.signed_at,
            validity=proof.validity + self._skew,
        )
        fixed = proof.valid_until
        return PreparedBackfill(
            operation=operation,
            request=prepared.request,
            request_digest=prepared.request_digest,
            signed_at=prepared.signed_at,
            valid_until=prepared.valid_until if fixed is None else fixed + self._skew,
            name=name,
        )

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Send a prepared create once. Never raises for anything the network or service does."""
        if not isinstance(prepared, PreparedBackfill):
            raise TypeError("prepared by another provider")
        used = self.access.state
        outcome = await self.channel.create(
            prepared,
            lambda answer: classify_answer(prepared.operation, prepared.name, answer),
            throttled=is_throttled,
        )
        if isinstance(outcome, Refused) and is_unauthenticated(outcome.code):
            self.access.distrust(used)
        return outcome
