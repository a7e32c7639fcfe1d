"""How a request proves who sends it: signed with a key, or bearing a token of IAM."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Protocol

import httpx

from reconciler.model.errors import Unauthenticated
from reconciler.providers.channel import Mask
from reconciler.providers.dataarts.credentials import KeySource
from reconciler.providers.dataarts.signing import VALIDITY, SdkHmacAuth
from reconciler.providers.dataarts.tokens import Token, TokenSource
from reconciler.providers.server_clock import ServerClock

#: A refused signature is laid to our clock if the service's is at least this far from it. Its own bound is
#: 15 minutes.
SUSPECT_SECONDS = 600.0

#: A token is renewed when it is valid for less than this: a create waits for its turn and for a last look
#: before it is sent with what was fetched.
RENEW_BEFORE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was put on a request.

    `mask` takes its secrets out of answers. `valid_until` is set where the service accepts it up to a fixed
    moment of its own clock, otherwise it does so for `validity` from when it was signed.
    """

    mask: Mask
    signed_at: dt.datetime
    validity: dt.timedelta = VALIDITY
    valid_until: dt.datetime | None = None


class Access(Protocol):
    """One way to prove it."""

    async def ready(self) -> None:
        """Fetch what is needed before `prove`.

        Raises:
            ProviderError: It could not be had.
        """
        ...

    def prove(self, request: httpx.Request) -> Proof:
        """Put the proof on a request whose body is in memory; no I/O.

        Raises:
            Unauthenticated: There is nothing to prove it with.
        """
        ...

    @property
    def state(self) -> object:
        """What a proof now would rest on, to be handed to `distrust` if it is not accepted."""
        ...

    def distrust(self, refused: object) -> bool:
        """Rest no more proofs on `refused`; whether another one may pass, once `ready` again."""
        ...

    def lines(self) -> tuple[str, ...]:
        """What a check should tell of it, beside whether it was accepted."""
        ...


class KeyAccess:
    """Signs with a key, by our own clock until that is refused and differs from the service's."""

    def __init__(self, key: KeySource, clock: ServerClock, project_id: str) -> None:
        """Ask `key` for each signature."""
        self._clock = clock
        self._auth = SdkHmacAuth(key=key, now=clock.signing_time, project_id=project_id)

    async def ready(self) -> None:
        """Nothing is needed."""

    def prove(self, request: httpx.Request) -> Proof:
        """Sign."""
        key, signed_at = self._auth.sign(request)
        return Proof(mask=key.masked, signed_at=signed_at)

    @property
    def state(self) -> object:
        """Whether our own clock is what signatures go by."""
        return self._clock.signs_with_own

    def distrust(self, refused: object) -> bool:
        """Sign by the service's clock from now on, if ours is so far off that this may be the reason."""
        ahead = self._clock.ahead_seconds()
        if refused and ahead is not None and abs(ahead) > SUSPECT_SECONDS:
            self._clock.distrust_own()
            return not self._clock.signs_with_own
        return False

    def lines(self) -> tuple[str, ...]:
        """Nothing more."""
        return ()


class TokenAccess:
    """Bears a token, which is fetched once and renewed well before it ends."""

    def __init__(self, source: TokenSource, clock: ServerClock) -> None:
        """Fetch from `source`; how long a token is still valid is judged by the service's clock."""
        self._source = source
        self._clock = clock
        self._token: Token | None = None
        self._fetching = asyncio.Lock()

    async def ready(self) -> None:
        """Have a token that is valid for a while."""
        async with self._fetching:
            if self._token is None or self._left(self._token) < RENEW_BEFORE:
                self._token = await self._source.fetch()

    def prove(self, request: httpx.Request) -> Proof:
        """Put the token on.

        Raises:
            Unauthenticated: None was fetched, or it has ended.
        """
        token = self._token
        if token is None or self._left(token) <= dt.timedelta(0):
            raise Unauthenticated(
                "there is no valid token to send a request with",
                provider="dataarts",
                operation="credentials",
                hint="try again: a token is fetched before the next call",
            )
        request.headers["x-auth-token"] = token.value.reveal()
        return Proof(
            mask=lambda data: token.masked(self._source.masked(data)),
            signed_at=self._clock.signing_time().replace(microsecond=0),
            valid_until=token.expires_at,
        )

    @property
    def state(self) -> object:
        """The token."""
        return self._token

    def distrust(self, refused: object) -> bool:
        """Have another token fetched, unless that has been done since."""
        if self._token is refused:
            self._token = None
        return True

    def lines(self) -> tuple[str, ...]:
        """How long the token is valid: a create sent with it may be executed that long."""
        if self._token is None:
            return ()
        ends = f"{self._token.expires_at:%Y-%m-%d %H:%M} UTC"
        soon = ", soon" if self._left(self._token) < 2 * RENEW_BEFORE else ""
        line = f"token: valid until {ends}{soon}, and renewed by itself"
        return (f"{line}; a create of unknown outcome stays unknown until then: use access keys",)

    def _left(self, token: Token) -> dt.timedelta:
        now = self._clock.server_now() or self._clock.signing_time()
        return token.expires_at - now
