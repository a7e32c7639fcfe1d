"""The auth header, beside what the official SDK sent."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.providers.obshell.signing import (
    AGENT_HEADER,
    CLUSTER_HEADER,
    LIFETIME,
    SealedHeader,
    ServerKey,
    seal,
)
from tests.unit.providers.obshell.support import SMALL_KEY, VECTOR_KEY, VECTORS, AgentKey, load


def signed_requests() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every captured request that carries a v2 header which the vectors' key opens."""
    for path in sorted(VECTORS.glob("*.json")):
        for number, request in enumerate(load(path.name).get("exchange", [])):
            opened = request.get("decrypted") or {}
            ours = opened.get("header") in {CLUSTER_HEADER, AGENT_HEADER}
            # What follows a change of the key is encrypted for one that was not kept.
            kept = path.name != "server_key_rotated.json"
            if ours and kept and "plaintext" in opened:
                yield f"{path.stem}-{number}", request


CAPTURED = dict(signed_requests())


def resealed(members: dict[str, Any], name: str, key: AgentKey) -> SealedHeader:
    return seal(
        ServerKey.parse(key.served),
        name=name,
        password=members["auth"],
        target=members["uri"],
        expires_at=dt.datetime.fromtimestamp(int(members["ts"]), dt.UTC),
        random=lambda _: base64.b64decode(members["keys"]),
    )


def test_there_are_vectors() -> None:
    assert len(CAPTURED) >= 25


@pytest.mark.parametrize("name", CAPTURED)
def test_our_header_holds_in_each_block_what_the_sdk_sent(name: str) -> None:
    request = CAPTURED[name]
    header, members = request["decrypted"]["header"], request["decrypted"]["plaintext"]
    theirs = VECTOR_KEY.open_blocks(request["headers"][header])

    ours = resealed(members, header, VECTOR_KEY)

    assert ours.name == header
    assert VECTOR_KEY.open_blocks(ours.value) == theirs
    assert len(theirs) == request["decrypted"]["cipher_blocks"]
    assert VECTOR_KEY.open(ours.value) == members


@pytest.mark.parametrize(("key", "bits"), [(SMALL_KEY, 512), (VECTOR_KEY, 1024)])
def test_blocks_fit_into_old_and_new_keys(key: AgentKey, bits: int) -> None:
    assert key.size * 8 == bits
    sealed = resealed(
        {"auth": "p" * 300, "ts": "1717243260", "uri": "/api/v1/x", "keys": "AAAA"},
        CLUSTER_HEADER,
        key,
    )
    blocks = key.open_blocks(sealed.value)
    assert {len(block) for block in blocks[:-1]} == {53}
    assert json.loads(b"".join(blocks))["auth"] == "p" * 300


def test_members_have_the_types_of_the_wire() -> None:
    sealed = seal(
        ServerKey.parse(VECTOR_KEY.served),
        name=CLUSTER_HEADER,
        password="",
        target="/api/v1/task/dag/1?show_details=True",
        expires_at=dt.datetime(2024, 6, 1, 12, 0, 0, 999_999, dt.UTC) + LIFETIME,
    )
    members = VECTOR_KEY.open(sealed.value)
    assert list(members) == ["auth", "ts", "uri", "keys"]
    assert members["ts"] == "1717243260"
    assert len(base64.b64decode(members["keys"])) == 32
    assert members["auth"] == ""


def test_aes_keys_and_padding_are_new_each_time() -> None:
    key = ServerKey.parse(VECTOR_KEY.served)
    sealed = [
        seal(
            key, name=CLUSTER_HEADER, password="p", target="/", expires_at=dt.datetime.now(dt.UTC)
        )
        for _ in range(2)
    ]
    assert sealed[0].keys != sealed[1].keys
    assert sealed[0].value != sealed[1].value


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", "MEgCQQ==", "A" * 4000])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is not"):
        ServerKey.parse(text)


def test_a_key_of_another_kind_is_refused() -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = elliptic.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match=r"it is not"):
        ServerKey.parse(base64.b64encode(der).decode())


def test_nothing_of_a_header_is_shown_or_echoed() -> None:
    sealed = resealed(
        {"auth": "canary", "ts": "1", "uri": "/", "keys": "S2V5c0tleXM="},
        CLUSTER_HEADER,
        VECTOR_KEY,
    )
    assert sealed.value not in repr(sealed)
    assert "S2V5c0tleXM=" not in repr(sealed)
    echo = sealed.masked(f"you sent {sealed.value} with S2V5c0tleXM=".encode())
    assert echo == b"you sent *** with ***"
