"""Where signing keys come from: the project file, the environment, a CLI profile, or the vendor's chain.

Keys in the environment and plain CLI profiles are read here. The vendor's `alibabacloud-credentials`
is imported only when neither suffices: it costs 0.3 s, reads the environment once at import time, and
starts a background thread for ECS metadata as soon as its default chain is built.

Source: behaviour of alibabacloud-credentials 1.0.12, read and run 2026-11-21.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, cast

from reconciler.model.errors import Unauthenticated
from reconciler.model.project import (
    Credentials,
    DefaultCredentials,
    EnvCredentials,
    ProfileCredentials,
    Secret,
    StaticCredentials,
)
from reconciler.providers.signing import SigningKey

KEY_ID_VARIABLE = "ALIBABA_CLOUD_ACCESS_KEY_ID"
KEY_SECRET_VARIABLE = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"  # noqa: S105 - a variable's name
TOKEN_VARIABLE = "ALIBABA_CLOUD_SECURITY_TOKEN"  # noqa: S105 - a variable's name

#: Yields the key to sign the next request with; called per request, since temporary keys change.
KeySource = Callable[[], SigningKey]


class _VendorCredential(Protocol):
    access_key_id: str | None
    access_key_secret: str | None
    security_token: str | None


#: Opens the vendor's chain (None) or one of its profiles (a name); yields its `get_credential`.
VendorChain = Callable[[str | None], Callable[[], _VendorCredential]]


def open_vendor_chain(profile: str | None) -> Callable[[], _VendorCredential]:
    """Import the vendor's package and build its default chain, or its reader of one CLI profile."""
    # Imported here for the reasons in the module's docstring.
    from alibabacloud_credentials.client import Client  # noqa: PLC0415
    from alibabacloud_credentials.provider import CLIProfileCredentialsProvider  # noqa: PLC0415

    client = (
        Client()
        if profile is None
        else Client(provider=CLIProfileCredentialsProvider(profile_name=profile))
    )
    return cast("Callable[[], _VendorCredential]", client.get_credential)


def key_source(
    credentials: Credentials,
    environ: Mapping[str, str],
    *,
    vendor_chain: VendorChain = open_vendor_chain,
) -> KeySource:
    """How to get the key that `credentials` name. Nothing is read before the source is called.

    Args:
        credentials: What the project file says.
        environ: The process environment. The vendor's chain reads the real one instead, whatever is
            given here.
        vendor_chain: Opened at most once, and only if needed.

    Returns:
        A source that raises `Unauthenticated`, saying what to set, when there is no key.
    """
    match credentials:
        case StaticCredentials():
            return functools.partial(_from_project_file, credentials)
        case EnvCredentials():
            return functools.partial(_from_environment, environ)
        case ProfileCredentials(name=name):
            return _ProfileSource(name, environ, vendor_chain)
        case DefaultCredentials():
            return _DefaultSource(environ, vendor_chain)


def _from_project_file(given: StaticCredentials) -> SigningKey:
    token = given.security_token
    secrets = (given.access_key_id, given.access_key_secret, token)
    unset = [str(item.unset) for item in secrets if item is not None and item.unset is not None]
    if unset:
        raise _no_key(
            "; ".join(unset),
            f"export {'it' if len(unset) == 1 else 'them'}, or use credentials: {{source: default}}",
        )
    if not given.access_key_id.reveal() or not given.access_key_secret.reveal():
        raise _no_key(
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
        raise _no_key(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            f"set {KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE} "
            f"(and {TOKEN_VARIABLE} for temporary keys)",
        )
    return _key(key_id, secret, environ.get(TOKEN_VARIABLE))


class _ProfileSource:
    """A profile of the vendor's command-line tool; its file is read once."""

    def __init__(self, name: str, environ: Mapping[str, str], vendor_chain: VendorChain) -> None:
        self._name = name
        self._file = Path(environ.get("HOME") or Path.home()) / ".aliyun" / "config.json"
        self._vendor_chain = vendor_chain
        self._resolve: KeySource | None = None

    def __call__(self) -> SigningKey:
        if self._resolve is None:
            self._resolve = self._open()
        return self._resolve()

    def _open(self) -> KeySource:
        profile = self._read()
        match profile.get("mode"):
            case "AK":
                key = self._plain_key(profile, None)
            case "StsToken":
                key = self._plain_key(profile, profile.get("sts_token"))
            case _:
                # Roles, single sign-on and external programs are the vendor's business.
                return _VendorSource(self._vendor_chain(self._name))
        return lambda: key

    def _read(self) -> Mapping[str, object]:
        try:
            document = json.loads(self._file.read_text(encoding="utf-8"))
        except OSError as error:
            raise self._unusable(f"{self._file} cannot be read ({error.strerror})") from error
        except ValueError:
            # The cause is not chained: its text may quote the file.
            raise self._unusable(f"{self._file} is not JSON") from None
        profiles = document.get("profiles") if isinstance(document, dict) else None
        for profile in profiles if isinstance(profiles, list) else ():
            if isinstance(profile, dict) and profile.get("name") == self._name:
                return profile
        raise self._unusable(f"{self._file} has no such profile")

    def _plain_key(self, profile: Mapping[str, object], token: object) -> SigningKey:
        key_id, secret = profile.get("access_key_id"), profile.get("access_key_secret")
        if not (isinstance(key_id, str) and isinstance(secret, str) and key_id and secret):
            raise self._unusable("it holds no access key")
        return _key(key_id, secret, token if isinstance(token, str) else None)

    def _unusable(self, why: str) -> Unauthenticated:
        return _no_key(
            f"profile {self._name!r}: {why}",
            f"create it with `aliyun configure --profile {self._name}`",
        )


class _DefaultSource:
    """The environment if it holds a key, else the vendor's default chain."""

    def __init__(self, environ: Mapping[str, str], vendor_chain: VendorChain) -> None:
        self._environ = environ
        self._vendor_chain = vendor_chain
        self._vendor: _VendorSource | None = None

    def __call__(self) -> SigningKey:
        if self._environ.get(KEY_ID_VARIABLE) and self._environ.get(KEY_SECRET_VARIABLE):
            return _from_environment(self._environ)
        if self._vendor is None:
            self._vendor = _VendorSource(self._vendor_chain(None))
        return self._vendor()


class _VendorSource:
    """A credential of the vendor's package, which renews temporary keys inside."""

    def __init__(self, get_credential: Callable[[], _VendorCredential]) -> None:
        self._get_credential = get_credential

    def __call__(self) -> SigningKey:
        try:
            found = self._get_credential()
        except Exception:  # noqa: BLE001 - the package raises what its HTTP client raises
            # Not chained: such texts may quote keys or token answers.
            raise _no_keys_anywhere() from None
        if not found.access_key_id or not found.access_key_secret:
            raise _no_keys_anywhere()
        return _key(found.access_key_id, found.access_key_secret, found.security_token)


def _key(key_id: str, secret: str, token: str | None) -> SigningKey:
    return SigningKey(
        access_key_id=key_id,
        access_key_secret=Secret(secret),
        security_token=Secret(token) if token else None,
    )


def _no_keys_anywhere() -> Unauthenticated:
    return _no_key(
        "the vendor's credential chain found no key",
        f"set {KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE}, or name `credentials` of the "
        "connection in reconciler.yaml",
    )


def _no_key(summary: str, hint: str) -> Unauthenticated:
    return Unauthenticated(
        f"no DataWorks credentials: {summary}",
        provider="dataworks",
        operation="credentials",
        hint=hint,
    )
