"""Where access keys come from: the project file or the vendor's environment variables.

The vendor's own SDK would go on to look into a profile file and to ask a metadata service; neither is read
here.

Source: variable names of huaweicloudsdkcore 3.1.219.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from reconciler.model.errors import Unauthenticated
from reconciler.model.project import (
    DefaultCredentials,
    EnvCredentials,
    Secret,
    StaticCredentials,
)
from reconciler.providers.signing import SigningKey

KEY_ID_VARIABLE = "HUAWEICLOUD_SDK_AK"
KEY_SECRET_VARIABLE = "HUAWEICLOUD_SDK_SK"  # noqa: S105 - a variable's name
TOKEN_VARIABLE = "HUAWEICLOUD_SDK_SECURITY_TOKEN"  # noqa: S105 - a variable's name

#: Yields the key to sign the next request with; called per request, since temporary keys change.
KeySource = Callable[[], SigningKey]


def key_source(
    credentials: DefaultCredentials | EnvCredentials | StaticCredentials,
    environ: Mapping[str, str],
) -> KeySource:
    """How to get the key that `credentials` name. Nothing is read before the source is called.

    Returns:
        A source that raises `Unauthenticated`, saying what to set, when there is no key.
    """
    match credentials:
        case StaticCredentials():
            return functools.partial(_from_project_file, credentials)
        case DefaultCredentials() | EnvCredentials():
            return functools.partial(_from_environment, environ)


def _from_project_file(given: StaticCredentials) -> SigningKey:
    token = given.security_token
    secrets = (given.access_key_id, given.access_key_secret, token)
    unset = [str(item.unset) for item in secrets if item is not None and item.unset is not None]
    if unset:
        raise no_credentials(
            "; ".join(unset),
            f"export {'it' if len(unset) == 1 else 'them'}, or use credentials: {{source: env}}",
        )
    if not given.access_key_id.reveal() or not given.access_key_secret.reveal():
        raise no_credentials(
            "accessKeyId or accessKeySecret of the connection is empty",
            "set the variables that reconciler.yaml takes them from",
        )
    return SigningKey(
        access_key_id=given.access_key_id.reveal(),
        access_key_secret=given.access_key_secret,
        security_token=token if token is not None and token.reveal() else None,
    )


def _from_environment(environ: Mapping[str, str]) -> SigningKey:
    key_id, secret = environ.get(KEY_ID_VARIABLE, ""), environ.get(KEY_SECRET_VARIABLE, "")
    missing = [
        name
        for name, value in ((KEY_ID_VARIABLE, key_id), (KEY_SECRET_VARIABLE, secret))
        if not value
    ]
    if missing:
        raise no_credentials(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            f"set {KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE} "
            f"(and {TOKEN_VARIABLE} for temporary keys)",
        )
    token = environ.get(TOKEN_VARIABLE)
    return SigningKey(
        access_key_id=key_id,
        access_key_secret=Secret(secret),
        security_token=Secret(token) if token else None,
    )


def no_credentials(summary: str, hint: str) -> Unauthenticated:
    """The error for a connection that has nothing to sign with."""
    return Unauthenticated(
        f"no DataArts credentials: {summary}",
        provider="dataarts",
        operation="credentials",
        hint=hint,
    )
