"""What is a right passkey: each probe of the contract's table, bits that flip, and what Chromium recorded.

(docs/contracts/factors.md section 6, docs/security/attacks.md PK-1, PK-3.)
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from menshen.adapters.passkeys.webauthn import WebauthnJudge
from menshen.core.factors.passkeys import Asserted, Attested, Passkey, Site, is_clone_suspected
from menshen.core.time import NEVER
from tests.softkey import AT, BE, BS, ORIGIN, UP, UV, SoftKey, b64, unb64

RP = "login.example"
SITE = Site(RP, frozenset({ORIGIN, "android:apk-key-hash:" + "A" * 43}))
FRAMED = replace(SITE, embedders=frozenset({"https://shop.example"}))
CHROMIUM = json.loads((Path(__file__).parent / "webauthn_chromium.json").read_text("utf-8"))


@pytest.fixture
async def judge() -> WebauthnJudge:
    made = WebauthnJudge()
    await made.get_ready()
    return made


def creation(challenge: bytes) -> dict[str, Any]:
    return {"rp": {"id": RP}, "user": {"id": b64(b"u" * 32)}, "challenge": b64(challenge)}


def asked(challenge: bytes) -> dict[str, Any]:
    return {"rpId": RP, "challenge": b64(challenge)}


def registered(judge: WebauthnJudge, key: SoftKey, site: Site = SITE, **changes: Any) -> Attested | None:
    challenge = os.urandom(40)
    return judge.attest(key.create(creation(challenge), **changes), challenge=challenge, site=site)


def kept(judge: WebauthnJudge, key: SoftKey) -> Passkey:
    made = registered(judge, key)
    assert made is not None
    return passkey_of(made)


def passkey_of(made: Attested) -> Passkey:
    return Passkey(
        "id", 1, made.credential, made.public_key, made.rp_id, "", made.counter, made.synced, made.backed_up,
        not (made.verified_user and made.discoverable), made.transports, NEVER,
    )  # fmt: skip


def signed(
    judge: WebauthnJudge, key: SoftKey, passkey: Passkey, site: Site = SITE, *, uv: bool = True, **changes: Any
) -> Asserted | None:
    challenge = os.urandom(40)
    answer = key.get(asked(challenge), **changes)
    return judge.verify(answer, challenge=challenge, site=site, passkey=passkey, verified_user=uv)


@pytest.mark.parametrize("alg", [-8, -7, -257])
async def test_each_algorithm_is_taken(judge: WebauthnJudge, alg: int) -> None:
    key = SoftKey(alg, flags=UP | UV | BE | BS, counter=3)
    made = registered(judge, key)
    assert made is not None
    assert (made.credential, made.counter, made.synced, made.backed_up) == (key.credential, 3, True, True)
    assert (made.verified_user, made.discoverable, made.transports, made.rp_id) == (True, True, "hybrid internal", RP)
    assert signed(judge, key, passkey_of(made), counter=9) == Asserted(9, True, True, True)
    assert signed(judge, key, passkey_of(made), counter=1) == Asserted(1, True, True, True), "the flow compares it"


ACCEPTED: dict[str, dict[str, Any]] = {
    "plain": {},
    "an app": {"origin": "android:apk-key-hash:" + "A" * 43},
    "no word about frames": {"client": {}},
    "a word that we do not know": {"client": {"other_keys_can_be_added_here": "do not compare"}},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_is_right_is_accepted(judge: WebauthnJudge, changes: dict[str, Any]) -> None:
    key = SoftKey()
    assert registered(judge, key, **changes)
    assert signed(judge, key, kept(judge, key), **changes)


WRONG: dict[str, dict[str, Any]] = {
    "http": {"origin": "http://login.example"},
    "a sub-domain": {"origin": "https://a.login.example"},
    "another port": {"origin": f"{ORIGIN}:8443"},
    "a path": {"origin": f"{ORIGIN}/"},
    "another case": {"origin": ORIGIN.upper()},
    "a list of origins": {"origin": [ORIGIN]},
    "no origin": {"origin": None},
    "another app": {"origin": "android:apk-key-hash:" + "B" * 43},
    "in a frame": {"crossOrigin": True},
    "in a frame of another": {"crossOrigin": True, "topOrigin": "https://evil.example"},
    "a frame that says it is none": {"crossOrigin": False, "topOrigin": "https://evil.example"},
    "a frame that says so in a word": {"crossOrigin": "true", "topOrigin": "https://shop.example"},
    "a frame of two": {"crossOrigin": True, "topOrigin": ["https://shop.example"]},
    "another challenge": {"challenge": b64(b"c" * 40)},
    "a challenge with padding": {"challenge": b64(b"c" * 40) + "="},
    "no challenge": {"challenge": None},
    "another type": {"type": "webauthn.other"},
    "another RP id": {"rp": "example"},
    "no user": {"flags": UV | AT},
    "backed up and bound": {"flags": UP | UV | BS | AT},
    "id is not rawId": {"id": b64(b"x" * 32)},
    "rawId is not id": {"rawId": b64(b"x" * 32)},
    "another id": {"id": b64(b"x" * 32), "rawId": b64(b"x" * 32)},
    "an id with a blank": {"id": b64(b"x" * 32) + " ", "rawId": b64(b"x" * 32) + " "},
    "no id": {"id": None, "rawId": None},
    "a short id": {"id": "AA", "rawId": "AA"},
    "no public key": {"type": "webauthn.get", "response": {}},
}


@pytest.mark.attack("PK-1")
@pytest.mark.attack("PK-3")
@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_refused(judge: WebauthnJudge, changes: dict[str, Any]) -> None:
    key = SoftKey()
    passkey = kept(judge, key)
    create, get = dict(changes), dict(changes)
    if "flags" in changes:
        get["flags"] &= ~AT
    if changes.get("type") == "webauthn.get":
        get["type"] = "webauthn.create"
    assert registered(judge, key, **create) is None
    assert signed(judge, key, passkey, **get) is None


async def test_a_page_may_show_it_in_a_frame_where_the_settings_name_that_page(judge: WebauthnJudge) -> None:
    key = SoftKey()
    passkey = kept(judge, key)
    inside: dict[str, Any] = {"crossOrigin": True, "topOrigin": "https://shop.example"}
    assert registered(judge, key, FRAMED, **inside)
    assert signed(judge, key, passkey, FRAMED, **inside)
    assert signed(judge, key, passkey, FRAMED)
    for other in ({"crossOrigin": True}, inside | {"topOrigin": "https://shop.example:1"}):
        assert signed(judge, key, passkey, FRAMED, **other) is None
        assert registered(judge, key, FRAMED, **other) is None


async def test_the_flag_of_synced_keys_never_changes(judge: WebauthnJudge) -> None:
    bound, synced = SoftKey(), SoftKey(flags=UP | UV | BE)
    assert signed(judge, bound, kept(judge, bound), flags=UP | UV | BE) is None
    assert signed(judge, synced, kept(judge, synced), flags=UP | UV) is None
    both = signed(judge, synced, kept(judge, synced), flags=UP | UV | BE | BS)
    assert both == Asserted(0, True, True, True), "whether it is backed up may change"


async def test_a_user_that_was_not_verified_is_enough_for_a_step_alone(judge: WebauthnJudge) -> None:
    key = SoftKey(flags=UP, rk=False)
    made = registered(judge, key)
    assert made is not None
    assert (made.verified_user, made.discoverable) == (False, False)
    assert signed(judge, key, passkey_of(made)) is None
    assert signed(judge, key, passkey_of(made), uv=False) == Asserted(0, False, False, False)
    silent = registered(judge, SoftKey(rk=None))
    assert silent is not None
    assert silent.discoverable, "a browser that says nothing was asked for a discoverable key"


async def test_signatures_of_others_are_refused(judge: WebauthnJudge) -> None:
    key, other = SoftKey(), SoftKey()
    passkey, more = kept(judge, key), kept(judge, other)
    assert signed(judge, SoftKey(credential=key.credential), passkey) is None, "another key under this id"
    assert signed(judge, other, passkey) is None
    assert signed(judge, key, replace(passkey, public_key=more.public_key)) is None
    assert signed(judge, key, replace(passkey, rp_id="other.example")) is None
    assert signed(judge, key, passkey, signature=b"\0" * 64) is None
    brought = bytes(16) + len(key.credential).to_bytes(2) + key.credential + cbor2.dumps(key.public)
    assert signed(judge, key, passkey, flags=UP | UV | AT, more=brought) is None, "a signature brings no key"
    assert signed(judge, key, passkey, more=b"\0") is None, "bytes are left over"
    assert signed(judge, key, passkey)


@pytest.mark.parametrize("fmt", ["packed", "tpm", "apple", "fido-u2f", "what nobody knows"])
async def test_what_vouches_for_a_key_is_not_looked_at(judge: WebauthnJudge, fmt: str) -> None:
    assert registered(judge, SoftKey(fmt=fmt, statement={"sig": b"wrong", "x5c": [b"wrong"], "alg": -7}))


def odd_keys() -> dict[str, dict[int, Any]]:
    """Keys that do not fit their algorithm, or that cost too much."""
    wide = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    modulus = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    long = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    good = SoftKey(-7).public or {}
    return {
        "P-384 as ES256": {1: 2, 3: -7, -1: 2, -2: wide.x.to_bytes(48), -3: wide.y.to_bytes(48)},
        "no point": good | {-3: b"\1" * 32},
        "Ed25519 as ES256": (SoftKey().public or {}) | {3: -7},
        "ES256 as Ed25519": good | {3: -8},
        "ES384": {1: 2, 3: -35, -1: 2, -2: wide.x.to_bytes(48), -3: wide.y.to_bytes(48)},
        "PS256": {1: 3, 3: -37, -1: long.to_bytes(256), -2: b"\1\0\1"},
        "RSA of 1024 bits": {1: 3, 3: -257, -1: modulus.to_bytes(128), -2: b"\1\0\1"},
        "RSA of 8192 bits": {1: 3, 3: -257, -1: b"\xff" * 1024, -2: b"\1\0\1"},
        "a slow exponent": {1: 3, 3: -257, -1: long.to_bytes(256), -2: b"\xff" * 255},
        "a number that is no integer": good | {3: -7.0},
        "a kind that is no integer": good | {1: 2.0},
        "nothing": {},
    }


async def test_odd_keys_are_refused(judge: WebauthnJudge) -> None:
    taken = [name for name, public in odd_keys().items() if registered(judge, SoftKey(public=public))]
    assert taken == []


async def test_an_attestation_is_of_the_key_that_it_names(judge: WebauthnJudge) -> None:
    assert registered(judge, SoftKey(), attested=b"y" * 32) is None
    assert registered(judge, SoftKey(), flags=UP | UV) is None, "no key in it"
    assert registered(judge, SoftKey(credential=b"z" * 15)) is None
    assert registered(judge, SoftKey(credential=b"z" * 1023))
    assert registered(judge, SoftKey(credential=b"z" * 1024)) is None


JUNK: tuple[Any, ...] = (None, True, 7, 1.5, "", "A", "é", "\ud800", "A" * 100_000, [], {}, ["AA"], {"a": 1}, b"AA")


@pytest.mark.attack("PK-1")
async def test_each_field_may_be_anything_and_nothing_raises(judge: WebauthnJudge) -> None:
    key, challenge = SoftKey(), os.urandom(40)
    passkey = kept(judge, key)
    create, get = key.create(creation(challenge)), key.get(asked(challenge))
    unread = {"clientExtensionResults", "authenticatorAttachment", "transports"}
    for junk in JUNK:
        for name in create:
            outcome = judge.attest(create | {name: junk}, challenge=challenge, site=SITE)
            assert name in unread or outcome is None, (name, junk)
        for name in create["response"]:
            changed = create | {"response": create["response"] | {name: junk}}
            assert name in unread or judge.attest(changed, challenge=challenge, site=SITE) is None, (name, junk)
        for name in ("id", "rawId", "type", "response"):
            assert verify(judge, get | {name: junk}, challenge, passkey) is None, (name, junk)
        for name in get["response"]:
            changed = get | {"response": get["response"] | {name: junk}}
            assert name == "userHandle" or verify(judge, changed, challenge, passkey) is None, (name, junk)
    for name in ("id", "rawId", "type", "response"):
        assert judge.read({key: value for key, value in get.items() if key != name}) is None
    assert judge.read({}) is None


def verify(judge: WebauthnJudge, answer: Any, challenge: bytes, passkey: Passkey) -> Asserted | None:
    return judge.verify(answer, challenge=challenge, site=SITE, passkey=passkey, verified_user=True)


@pytest.mark.attack("PK-1")
async def test_no_flipped_bit_is_accepted(judge: WebauthnJudge) -> None:
    chance, accepted = random.Random(15), []
    for alg in (-8, -7, -257):
        key, challenge = SoftKey(alg), os.urandom(40)
        passkey = kept(judge, key)
        create, get = key.create(creation(challenge)), key.get(asked(challenge))
        assert verify(judge, get, challenge, passkey)
        for _ in range(170):
            name = chance.choice(["clientDataJSON", "authenticatorData", "signature"])
            changed = get | {"response": get["response"] | {name: flipped(get["response"][name], chance)}}
            if verify(judge, changed, challenge, passkey) is not None:
                accepted.append((alg, name))
            # A registration is not signed: a flipped bit of the key is another key. It must raise nothing.
            name = chance.choice(["clientDataJSON", "attestationObject"])
            changed = create | {"response": create["response"] | {name: flipped(create["response"][name], chance)}}
            judge.attest(changed, challenge=challenge, site=SITE)
    assert accepted == []


def flipped(text: str, chance: random.Random) -> str:
    raw = bytearray(unb64(text))
    bit = chance.randrange(len(raw) * 8)
    raw[bit // 8] ^= 1 << bit % 8
    return b64(bytes(raw))


BOMBS = {
    "deep": b"\x81" * 12_000,
    "many": b"\x9b\x00\x00\x00\xff\xff\xff\xff\xff",
    "long": b"\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
    "a large decimal": b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "a large float": b"\xc5\x82\x1a\x7f\xff\xff\xff\x01",
    "no map": b"\x01",
    "no data": b"\xa0",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_bombs_of_cbor_are_wrong(judge: WebauthnJudge, bomb: bytes) -> None:
    assert registered(judge, SoftKey(), response={"attestationObject": b64(bomb)}) is None


# --- Chromium ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", CHROMIUM["groups"], ids=lambda group: group["authenticator"])
async def test_what_chromium_recorded(judge: WebauthnJudge, group: dict[str, Any]) -> None:
    site, passkey = Site(CHROMIUM["rp_id"], frozenset({CHROMIUM["origin"]})), None
    for ceremony in group["ceremonies"]:
        options, answer, expected = ceremony["options"], ceremony["response"], ceremony["expect"]
        challenge = unb64(options["challenge"])
        if "error" in answer:
            assert expected.startswith("the browser refuses")
            assert judge.read(answer) is None
            continue
        if ceremony["kind"] == "create":
            made = judge.attest(answer, challenge=challenge, site=site)
            assert made is not None, ceremony["what"]
            passkey = passkey_of(made)
            assert passkey.step_only is (expected == "accept as second factor only")
            continue
        assert passkey is not None
        presented = judge.read(answer)
        assert presented is not None
        assert (presented.credential, presented.challenge) == (passkey.credential, challenge)
        asserted = judge.verify(
            answer, challenge=challenge, site=site, passkey=passkey, verified_user=not passkey.step_only
        )
        assert (asserted is not None) is expected.startswith("accept"), ceremony["what"]
        if asserted:
            assert not is_clone_suspected(passkey, asserted)
            passkey = replace(passkey, counter=asserted.counter)


def test_all_ceremonies_are_there() -> None:
    assert sum(len(group["ceremonies"]) for group in CHROMIUM["groups"]) == 13


def test_a_start_does_not_import_the_library() -> None:
    code = (
        "import sys, menshen.app.asgi, menshen.app.assemble, menshen.wire.weidu, menshen.wire.careyshop\n"
        "from menshen.app.parts.factors import passkey_judge\n"
        "passkey_judge().read({})\n"
        "print([name for name in ('webauthn', 'cryptography', 'cbor2', 'OpenSSL') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
