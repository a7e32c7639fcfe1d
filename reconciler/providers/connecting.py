"""What connections have in common: where requests go, how fast they may, and what a check tells."""

from __future__ import annotations

from urllib.parse import urlsplit

from reconciler.model.errors import InvalidRequest, ProviderError, Unauthenticated
from reconciler.model.project import Limits, SimulatorEndpoint
from reconciler.model.series import Realm

#: Where the embedded simulator is addressed; no request to it leaves the process.
EMBEDDED_URL = "http://simulator.invalid"

#: A `Date` header has whole seconds and travels; less than this is no difference.
_NOTICEABLE_SECONDS = 3.0


def endpoint_url(
    endpoint: str | SimulatorEndpoint, *, connection: str, provider: str, field: str = "endpoint"
) -> str:
    """Scheme and host (with port) of a configured endpoint, without a trailing slash.

    `field` is what the project file calls it.

    Raises:
        InvalidRequest: It is no plain http or https URL.
    """
    if isinstance(endpoint, SimulatorEndpoint):
        return EMBEDDED_URL
    url = urlsplit(endpoint)
    if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
        raise InvalidRequest(
            # The text is not repeated: it may hold a password.
            f"connection {connection!r}: its {field} is not a plain http or https URL",
            provider=provider,
            operation="connect",
            hint=f"see `{field}` of the connection in reconciler.yaml",
        )
    return f"{url.scheme}://{url.netloc}"


def effective_limits(limits: Limits, realm: Realm) -> Limits:
    """What the project file says; for a simulator only if it says more than the defaults.

    The defaults protect a shared quota of a real service. A simulator has its own and would only be
    slowed down.
    """
    if realm is Realm.SIMULATOR and limits == Limits():
        return Limits(read_qps=0.0, write_qps=0.0)
    return limits


def told_reached(error: ProviderError | None) -> str:
    """Whether a host answered, by the error that the read met, if any."""
    if error is None or error.status is not None:
        return "answers"
    # Without a key nothing is sent, so nothing is known of the host.
    return "was not asked" if isinstance(error, Unauthenticated) else "does not answer"


def told_clock(ahead_seconds: float) -> str:
    """How a service's clock compares with ours."""
    if abs(ahead_seconds) <= _NOTICEABLE_SECONDS:
        return "agrees with the service's"
    side = "ahead" if ahead_seconds > 0 else "behind"
    return f"the service is {abs(ahead_seconds):.0f} s {side}"
