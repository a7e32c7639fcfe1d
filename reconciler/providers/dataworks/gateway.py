"""DataWorks' API gateway: requests are signed here, and answers opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TypeVar

from reconciler.model.calls import Prepared, WireCall
from reconciler.model.outcomes import CreateOutcome, Refused
from reconciler.model.seams import IdSource
from reconciler.providers.channel import Channel, ReadAnswer
from reconciler.providers.dataworks.codes import EXPIRED_TIMESTAMP, is_throttled
from reconciler.providers.dataworks.credentials import KeySource
from reconciler.providers.dataworks.envelopes import open_envelope
from reconciler.providers.dataworks.failures import PROVIDER, failed_read, unreadable_read
from reconciler.providers.dataworks.outcomes import classify_answer
from reconciler.providers.dataworks.signing import NONCE_LENGTH, VALIDITY, Acs3Auth
from reconciler.providers.dataworks.wire_requests import build_request
from reconciler.providers.failures import unfitting_read
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.pacing import READ_ATTEMPTS

T = TypeVar("T")


class Gateway:
    """Sends signed requests to one base URL."""

    def __init__(
        self,
        channel: Channel,
        *,
        base_url: str,
        key: KeySource,
        ids: IdSource,
        skew: dt.timedelta,
    ) -> None:
        """Join the parts.

        Args:
            channel: The way to the service.
            base_url: Scheme and host, no trailing slash.
            key: Asked for each signature.
            ids: Nonces.
            skew: Added to the validity of a create's signature.
        """
        self.base_url = base_url
        self.channel = channel
        self._clock = channel.server_clock
        self._skew = skew
        self._auth = Acs3Auth(
            key=key, now=self._clock.signing_time, nonce=lambda: ids.token(NONCE_LENGTH)
        )

    async def read(
        self,
        operation: str,
        parameters: Mapping[str, str],
        convert: Callable[[Fields], T],
        *,
        attempts: int = READ_ATTEMPTS,
    ) -> ReadAnswer[T]:
        """Send a read until it is answered, each time with a signature of its own.

        Args:
            operation: The vendor's name.
            parameters: Its parameters.
            convert: Reads the body of an answer that does not say it failed; may raise `BadAnswer`.
            attempts: How often it may be sent; 1 for calls that change something.

        Raises:
            ProviderError: What the last attempt met.
        """
        return await self.channel.read(
            operation,
            lambda: self._read_once(operation, parameters, convert),
            attempts=attempts,
        )

    async def _read_once(
        self, operation: str, parameters: Mapping[str, str], convert: Callable[[Fields], T]
    ) -> ReadAnswer[T]:
        request = build_request(self.base_url, operation, parameters)
        own_time = self._clock.signs_with_own
        key, _ = self._auth.sign(request)
        told = await self.channel.ask(operation, request, key.masked)
        try:
            envelope = open_envelope(told.value, operation)
        except BadAnswer as error:
            raise unreadable_read(operation, told.value, str(error)) from error
        if envelope.success is False:
            if envelope.code == EXPIRED_TIMESTAMP and own_time:
                self._clock.distrust_own()
                if not self._clock.signs_with_own:
                    return await self._read_once(operation, parameters, convert)
            raise failed_read(operation, envelope)
        try:
            value = convert(envelope.body)
        except BadAnswer as error:
            raise unfitting_read(PROVIDER, operation, str(error), envelope.request_id) from error
        return ReadAnswer(value=value, began_at=told.began_at)

    def prepare(self, call: WireCall) -> Prepared:
        """Sign a create, with a nonce of its own, and say until when the service may execute it.

        Raises:
            Unauthenticated: There is no key to sign with.
        """
        request = build_request(self.base_url, call.operation, call.parameters)
        key, signed_at = self._auth.sign(request)
        return self.channel.prepared(
            call.operation,
            request,
            mask=key.masked,
            signed_at=signed_at,
            validity=VALIDITY + self._skew,
        )

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Send a prepared create once. Never raises for anything the network or service does."""
        outcome = await self.channel.create(
            prepared,
            lambda answer: classify_answer(prepared.operation, answer),
            throttled=is_throttled,
        )
        if isinstance(outcome, Refused) and outcome.code == EXPIRED_TIMESTAMP:
            self._clock.distrust_own()
        return outcome
