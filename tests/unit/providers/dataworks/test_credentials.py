from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.diagnostics import Place
from reconciler.model.errors import Unauthenticated
from reconciler.model.project import (
    Credentials,
    DefaultCredentials,
    EnvCredentials,
    ProfileCredentials,
    Secret,
    StaticCredentials,
    UnsetVariable,
)
from reconciler.providers.dataworks.credentials import key_source
from reconciler.providers.signing import SigningKey

ENVIRON = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret-canary",
}


@dataclass
class VendorCredential:
    access_key_id: str | None = "chain-id"
    access_key_secret: str | None = "chain-secret-canary"
    security_token: str | None = "chain-token-canary"


class Chain:
    """A vendor's chain that counts how often it is opened."""

    def __init__(self, answer: VendorCredential | Exception | None = None) -> None:
        self.opened: list[str | None] = []
        self.answer = answer or VendorCredential()

    def __call__(self, profile: str | None) -> Callable[[], VendorCredential]:
        self.opened.append(profile)
        return self.get

    def get(self) -> VendorCredential:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def told(key: SigningKey) -> tuple[str, str, str | None]:
    token = key.security_token
    return key.access_key_id, key.access_key_secret.reveal(), token.reveal() if token else None


def resolve(
    credentials: Credentials, environ: Mapping[str, str], chain: Chain | None = None
) -> SigningKey:
    return key_source(credentials, environ, vendor_chain=chain or Chain())()


def a_home(tmp_path: Path, *profiles: Mapping[str, Any]) -> dict[str, str]:
    file = tmp_path / ".aliyun" / "config.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"current": "default", "profiles": profiles}), encoding="utf-8")
    return {"HOME": str(tmp_path)}


def test_environment() -> None:
    assert told(resolve(EnvCredentials(), ENVIRON)) == ("env-id", "env-secret-canary", None)
    with_token = {**ENVIRON, "ALIBABA_CLOUD_SECURITY_TOKEN": "t"}
    assert told(resolve(EnvCredentials(), with_token))[2] == "t"


@pytest.mark.parametrize("name", list(ENVIRON))
def test_what_the_environment_lacks_is_named(name: str) -> None:
    with pytest.raises(Unauthenticated, match=f"{name} is not set") as caught:
        resolve(EnvCredentials(), {**ENVIRON, name: ""})
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in caught.value.hint
    assert "canary" not in f"{caught.value!r}{caught.value.hint}"


def test_the_environment_is_read_for_each_key() -> None:
    environ = dict(ENVIRON)
    source = key_source(EnvCredentials(), environ)
    source()
    environ["ALIBABA_CLOUD_ACCESS_KEY_ID"] = "renewed"
    assert source().access_key_id == "renewed"


def test_keys_of_the_project_file() -> None:
    given = StaticCredentials(access_key_id=Secret("id"), access_key_secret=Secret("secret"))
    assert told(resolve(given, {})) == ("id", "secret", None)
    empty = StaticCredentials(access_key_id=Secret("id"), access_key_secret=Secret(""))
    with pytest.raises(Unauthenticated):
        resolve(empty, {})
    unused_token = StaticCredentials(
        access_key_id=Secret("id"), access_key_secret=Secret("s"), security_token=Secret("")
    )
    assert resolve(unused_token, {}).security_token is None


def test_variables_that_the_project_file_lacks_are_named() -> None:
    def lacking(name: str, column: int) -> Secret:
        return Secret.missing(UnsetVariable(name, Place("reconciler.yaml", 12, column)))

    one = StaticCredentials(access_key_id=lacking("AK", 24), access_key_secret=Secret("canary"))
    source = key_source(one, {})
    with pytest.raises(Unauthenticated) as caught:
        source()
    assert caught.value.summary == (
        "no DataWorks credentials: the environment variable AK (reconciler.yaml:12:24) is not set"
    )
    assert caught.value.hint == "export it, or use credentials: {source: default}"
    two = StaticCredentials(
        access_key_id=Secret("canary"),
        access_key_secret=lacking("SK", 24),
        security_token=lacking("TOKEN", 50),
    )
    with pytest.raises(Unauthenticated, match=r"SK .* is not set; .* TOKEN .* is not set") as both:
        resolve(two, {"SK": "too late", "TOKEN": "canary"})
    assert "canary" not in f"{caught.value!r}{both.value!r}"


@pytest.mark.parametrize(
    ("profile", "token"),
    [({"mode": "AK"}, None), ({"mode": "StsToken", "sts_token": "token"}, "token")],
)
def test_plain_profiles_are_read_without_the_vendors_package(
    tmp_path: Path, profile: dict[str, str], token: str | None
) -> None:
    chain = Chain()
    keys = {"access_key_id": "id", "access_key_secret": "secret"}
    environ = a_home(tmp_path, {"name": "other"}, {"name": "prod", **keys, **profile})
    assert told(resolve(ProfileCredentials("prod"), environ, chain)) == ("id", "secret", token)
    assert chain.opened == []


def test_other_profiles_are_the_vendors_business(tmp_path: Path) -> None:
    chain = Chain()
    environ = a_home(tmp_path, {"name": "prod", "mode": "RamRoleArn"})
    source = key_source(ProfileCredentials("prod"), environ, vendor_chain=chain)
    assert told(source()) == told(source())
    assert chain.opened == ["prod"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("secret-canary {", "not JSON"),
        ("[]", "no such profile"),
        ('{"profiles": 1}', "no such profile"),
        ('{"profiles": [1, {"name": "x"}]}', "no such profile"),
        ('{"profiles": [{"name": "prod", "mode": "AK"}]}', "no access key"),
    ],
)
def test_unusable_profiles(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / ".aliyun").mkdir()
        (tmp_path / ".aliyun" / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(Unauthenticated, match=message) as caught:
        resolve(ProfileCredentials("prod"), {"HOME": str(tmp_path)})
    assert "prod" in caught.value.summary
    assert (
        "canary"
        not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__}"[:200]
    )


def test_default_takes_the_environment_first() -> None:
    chain = Chain()
    assert resolve(DefaultCredentials(), ENVIRON, chain).access_key_id == "env-id"
    assert chain.opened == []


def test_default_opens_the_chain_once() -> None:
    chain = Chain()
    source = key_source(DefaultCredentials(), {}, vendor_chain=chain)
    assert told(source()) == ("chain-id", "chain-secret-canary", "chain-token-canary")
    source()
    assert chain.opened == [None]


@pytest.mark.parametrize(
    "answer", [RuntimeError("token=chain-canary"), VendorCredential(access_key_id=None)]
)
def test_a_chain_without_a_key_says_what_to_set(answer: Any) -> None:
    with pytest.raises(Unauthenticated, match="found no key") as caught:
        resolve(DefaultCredentials(), {}, Chain(answer))
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in caught.value.hint
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_keys_of_the_environment_need_no_vendor_package_and_no_thread() -> None:
    code = (
        "import sys, threading\n"
        "from reconciler.model.project import DefaultCredentials\n"
        "from reconciler.providers.dataworks.credentials import key_source\n"
        f"key_source(DefaultCredentials(), {ENVIRON!r})()\n"
        "assert not [name for name in sys.modules if name.startswith('alibabacloud')]\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_vendors_package_answers_as_we_expect(tmp_path: Path) -> None:
    """The real package, in a process of its own, because it reads the environment at import time."""
    environ = a_home(
        tmp_path,
        {
            "name": "prod",
            "mode": "ChainableRamRoleArn",
            "source_profile": "missing",
            "ram_role_arn": "acs:ram::1:role/r",
        },
        {"name": "keys", "mode": "AK", "access_key_id": "id", "access_key_secret": "canary"},
    )
    code = (
        "import sys\n"
        "from reconciler.model.errors import Unauthenticated\n"
        "from reconciler.model.project import ProfileCredentials\n"
        "from reconciler.providers.dataworks.credentials import key_source, open_vendor_chain\n"
        "assert open_vendor_chain('keys')().access_key_id == 'id'\n"
        "try:\n"
        f"    key_source(ProfileCredentials('prod'), {environ!r})()\n"
        "except Unauthenticated:\n"
        "    sys.exit(0)\n"
        "sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environ, timeout=60)
