"""Answers of passkeys that would cost more to write than to read, and the one form that is read at all."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import cbor2
import pytest

from menshen.adapters.passkeys.plain_cbor import is_plain
from menshen.adapters.passkeys.webauthn import WebauthnJudge
from menshen.core.factors.passkeys import Asserted, Attested, Passkey, Site
from menshen.core.time import NEVER
from tests.softkey import AT, ORIGIN, UP, UV, SoftKey, b64, unb64

SITE = Site("login.example", frozenset({ORIGIN}))


@pytest.fixture
async def judge() -> WebauthnJudge:
    made = WebauthnJudge()
    await made.get_ready()
    return made


def creation(challenge: bytes) -> dict[str, Any]:
    return {"rp": {"id": SITE.rp_id}, "user": {"id": b64(b"u" * 32)}, "challenge": b64(challenge)}


def asked(challenge: bytes) -> dict[str, Any]:
    return {"rpId": SITE.rp_id, "challenge": b64(challenge)}


def kept(judge: WebauthnJudge, key: SoftKey) -> Passkey:
    challenge = os.urandom(40)
    made = judge.attest(key.create(creation(challenge)), challenge=challenge, site=SITE)
    assert made is not None
    return Passkey(
        "id", 1, made.credential, made.public_key, made.rp_id, "", made.counter, made.synced, made.backed_up,
        False, made.transports, NEVER,
    )  # fmt: skip


def verify(judge: WebauthnJudge, answer: Any, challenge: bytes, passkey: Passkey) -> Asserted | None:
    return judge.verify(answer, challenge=challenge, site=SITE, passkey=passkey, verified_user=True)


def written_long(depth: int) -> bytes:
    """A list whose parts name the part before them twice (tags 28 and 29): short to read, 2**depth items to write."""
    whole = bytearray([0x98, depth + 1]) + b"\xd8\x1c\x81\x01"
    for part in range(depth):
        whole += b"\xd8\x1c\x82" + (b"\xd8\x1d\x18" + bytes([part])) * 2
    return bytes(whole)


def read_long(depth: int) -> bytes:
    """An attestation whose map has such a list as a key: reading it is what takes so long."""
    parts = [b"\xd8\x1c\x81\x00"] + [b"\xd8\x1c\x82" + (b"\xd8\x1d\x18" + bytes([part])) * 2 for part in range(depth)]
    return b"\xa2\x68authData\x41\x00\x98" + bytes([len(parts)]) + b"".join(parts) + b"\x00"


LONG = written_long(60)
MORE = 0x80


@pytest.mark.attack("PK-1")
async def test_what_would_be_written_at_great_length_is_wrong(judge: WebauthnJudge) -> None:
    """The library writes again what it read, to learn its length. Each of these would take it years, and all memory."""
    challenge, site = os.urandom(40), SITE
    key = SoftKey()
    passkey, options = kept(judge, key), creation(challenge)

    def attested(attestation: bytes) -> Attested | None:
        response = key.create(options)["response"] | {"attestationObject": b64(attestation)}
        return judge.attest(key.create(options, response=response), challenge=challenge, site=site)

    def data_of(flags: int, tail: bytes) -> bytes:
        head = hashlib.sha256(site.rp_id.encode()).digest() + bytes([flags]) + bytes(4)
        return head + bytes(16) + len(key.credential).to_bytes(2) + key.credential + tail

    def object_of(data: bytes) -> bytes:
        return cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})

    public = cbor2.dumps(key.public)
    assert attested(object_of(data_of(UP | UV | AT, public))) is not None
    assert attested(b"\xa1" + cbor2.dumps("authData") + LONG) is None
    assert attested(object_of(data_of(UP | UV | AT, b"\xa5" + public[1:] + b"\x18\x63" + LONG))) is None
    assert attested(object_of(data_of(UP | UV | AT | MORE, public + LONG))) is None
    answer = key.get(asked(challenge), flags=UP | UV | MORE, more=LONG)
    assert verify(judge, answer, challenge, passkey) is None


@pytest.mark.parametrize(
    "tail",
    [b"\xa1\x18\x05\x01", b"\xf9\x3c\x00", b"\x9f\x01\xff", b"\xc0\x60", b"\x44abc", b"\x19\x01", b"\xf8\x20", b"\x5c"],
    ids=["longer than it needs", "float", "without a length", "tag", "cut", "cut number", "simple", "reserved"],
)
def test_only_the_canonical_form_is_plain(tail: bytes) -> None:
    assert is_plain(cbor2.dumps({1: 2, -1: b"x" * 300, "a": [True, None, 2**40]}), 0)
    assert not is_plain(tail, 0)


async def test_an_answer_with_extensions_is_taken(judge: WebauthnJudge) -> None:
    """Keys say there how they protect a credential, and what they made a secret of."""
    challenge, key = os.urandom(40), SoftKey()
    more = cbor2.dumps({"credProtect": 2, "hmac-secret": True})
    options = creation(challenge)
    made = key.create(options)
    data = cbor2.loads(unb64(made["response"]["attestationObject"]))["authData"]
    data = data[:32] + bytes([data[32] | MORE]) + data[33:] + more
    made["response"]["attestationObject"] = b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}))
    assert judge.attest(made, challenge=challenge, site=SITE) is not None
    answer = key.get(asked(challenge), flags=UP | UV | MORE, more=more)
    assert verify(judge, answer, challenge, kept(judge, key)) is not None


@pytest.mark.attack("PK-1", "RS-8")
async def test_what_would_be_read_at_great_length_is_wrong(judge: WebauthnJudge) -> None:
    """An attestation is outside of what is written again. Its keys are compared, and this one would take years."""
    challenge, key = os.urandom(40), SoftKey()
    options = creation(challenge)
    for depth in (1, 24, 90):
        response = key.create(options)["response"] | {"attestationObject": b64(read_long(depth))}
        assert judge.attest(key.create(options, response=response), challenge=challenge, site=SITE) is None


async def test_a_longer_spelling_of_a_length_outside_of_the_data_is_taken(judge: WebauthnJudge) -> None:
    challenge, key = os.urandom(40), SoftKey()
    options = creation(challenge)
    response = key.create(options)["response"]
    whole = cbor2.loads(unb64(response["attestationObject"]))
    data = whole["authData"]
    longer = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x5a" + len(data).to_bytes(4) + data
    made = judge.attest(
        key.create(options, response=response | {"attestationObject": b64(longer)}), challenge=challenge, site=SITE
    )
    assert made is not None
