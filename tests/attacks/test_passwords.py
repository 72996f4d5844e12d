"""2I: hashes of every age and shape: right passwords in, everything else out, at one cost."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import Any

import bcrypt
import pytest

from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.hashing.legacy import careyshop_hash
from menshen.adapters.sealing import KeyringSealer
from menshen.core.audit.events import Tag
from menshen.core.keys import Key, Keyring, Use
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.sealing import SealBroken
from menshen.ports.store.store import WriteTx
from tests.attacks.hash_work import Hashed
from tests.attacks.rows import tables
from tests.cost import cpu_seconds
from tests.figures import Figure
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OK, OTHER_PASSWORD, Client, said


async def give(h: Harness, number: int, stored: str) -> None:
    """Put a hash text in an account, as an import would."""
    await h.store.write(lambda tx: tx.accounts.set_password(number, stored, now=h.clock.now()))


async def stored_of(h: Harness, number: int = 1) -> str:
    account = await h.store.read.accounts.find(number)
    assert account is not None
    return account.password_hash


async def test_pw_1_an_imported_bcrypt_account_with_a_long_password_gets_in(harness: Harness) -> None:
    """bcrypt saw 72 bytes and the library raises beyond; the first right login ends that for good."""
    long = "Correct-horse-" * 8
    assert len(long) > 72
    await harness.add_account("alice1")
    await give(harness, 1, bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode())
    client = Client(harness)
    assert said(await client.log_in("alice1", long[:71])) == (401, "wrong_credentials")
    assert said(await client.log_in("alice1", "x" * 73)) == (401, "wrong_credentials")
    assert said(await client.log_in("alice1", long)) == OK
    assert (await stored_of(harness)).startswith("$argon2id$")
    # From now on every byte counts.
    assert said(await client.log_in("alice1", long[:72])) == (401, "wrong_credentials")
    assert said(await client.log_in("alice1", long)) == OK


@pytest.mark.parametrize("password", ["x" * 64, "x1" * 64, "密码" * 100, "correct horse " * 73])
async def test_pw_1_no_byte_of_a_new_password_is_left_out(harness: Harness, password: str) -> None:
    await harness.add_account("alice1", password=password)
    client = Client(harness)
    for other in {password.encode()[:72].decode("utf-8", "ignore"), password[:-1], password + "x"} - {password}:
        assert said(await client.log_in("alice1", other))[0] in {401, 428}
        harness.clock.advance(16 * 60_000)
    assert said(await Client(harness, ip="192.0.2.1").log_in("alice1", password)) == OK


def test_pw_2_what_is_joined_into_a_key_cannot_be_cut_in_another_place() -> None:
    ring = Keyring((Key("a", b"a" * 32),), Key("index", b"i" * 32))
    assert ring.mac(Use.CODE, "ab", "c") != ring.mac(Use.CODE, "a", "bc")
    assert ring.mac(Use.CODE, "a", "") != ring.mac(Use.CODE, "a")
    assert ring.counter_key("pw", "1", "23") != ring.counter_key("pw", "12", "3")
    assert ring.mac(Use.CODE, "x") != ring.mac(Use.CSRF, "x")


async def test_pw_3_the_hash_itself_is_no_password_and_a_change_wins_over_an_upgrade(harness: Harness) -> None:
    old = careyshop_hash(b"Passw0rd!")
    await harness.add_account("alice1")
    await give(harness, 1, old)
    client = Client(harness)
    for guess in (old, old.removeprefix("careyshop$"), hashlib.sha1(b"Passw0rd!").hexdigest()):
        assert said(await client.log_in("alice1", guess))[0] == 401
    # Between judging the old hash and replacing it, the password changes.
    changed = await harness.assembled.hasher.hash(OTHER_PASSWORD.encode())

    async def upgrade(tx: WriteTx) -> bool:
        await tx.accounts.set_password(1, changed, now=harness.clock.now())
        return await tx.accounts.replace_hash(1, old, "$argon2id$of the old one")

    assert not await harness.store.write(upgrade)
    assert await stored_of(harness) == changed
    await give(harness, 1, old)
    answer = await Client(harness, ip="192.0.2.1").log_in("alice1", "Passw0rd!")
    assert said(answer) == OK
    assert (await stored_of(harness)).startswith("$argon2id$")
    assert Tag.PASSWORD_REHASHED in {event.tag for event in await harness.events()}


async def test_pw_3_many_logins_at_once_upgrade_the_hash_once(harness: Harness) -> None:
    await harness.add_account("alice1")
    await give(harness, 1, careyshop_hash(b"Passw0rd!"))
    answers = await asyncio.gather(
        *(Client(harness, ip=f"192.0.{n}.1").log_in("alice1", "Passw0rd!", device_id=f"d{n}") for n in range(20))
    )
    assert {said(answer) for answer in answers} <= {OK, (428, "captcha_required")}
    assert OK in {said(answer) for answer in answers}
    assert sum(event.tag is Tag.PASSWORD_REHASHED for event in await harness.events()) == 1


async def test_pw_3_an_upgrade_that_fails_or_comes_too_late_costs_nobody_the_login(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher, old = harness.assembled.hasher, careyshop_hash(b"Passw0rd!")
    await harness.add_account("alice1")
    await give(harness, 1, old)

    async def no_room(password: bytes) -> str:
        raise Problem(ProblemCode.OVERLOADED, "hash queue full", 1)

    with monkeypatch.context() as patched:
        patched.setattr(hasher, "hash", no_room)
        assert said(await Client(harness).log_in("alice1", "Passw0rd!")) == OK
    assert await stored_of(harness) == old
    # While the new hash is made, the owner changes the password: the change stays.
    changed, make = await hasher.hash(OTHER_PASSWORD.encode()), hasher.hash

    async def overtaken(password: bytes) -> str:
        await give(harness, 1, changed)
        return await make(password)

    with monkeypatch.context() as patched:
        patched.setattr(hasher, "hash", overtaken)
        answer = await Client(harness).log_in("alice1", "Passw0rd!")
    # The password was the old one when it was judged; it is not when the session would open.
    assert said(answer) == (401, "wrong_credentials")
    assert await stored_of(harness) == changed
    assert said(await Client(harness).log_in("alice1", OTHER_PASSWORD)) == OK


BROKEN = (
    "", "!", "*", "x", "$", "$2y$", "$2b$04$short", "$2b$31$" + "A" * 53, "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$",
    "$argon2id$v=19$m=4194304,t=99,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43, "$argon2id$v=19$m=-1,t=1,p=1$a$b",
    "careyshop$", "careyshop$" + "g" * 32, "careyshop$" + "A" * 33, "md5$" + "0" * 32, "0" * 32,
    "$argon2d$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAA",
    "\0", "密码", "$argon2id$v=19$m=64,t=1,p=1$" + "A" * 200,
)  # fmt: skip


@pytest.mark.parametrize("stored", BROKEN, ids=range(len(BROKEN)))
async def test_pw_4_a_broken_or_foreign_hash_lets_nobody_in_and_is_told(harness: Harness, stored: str) -> None:
    hasher = harness.assembled.hasher
    for password in (b"", b"x", stored.encode() or b"x", b"\0"):
        assert not (await hasher.verify(stored, password)).right
    assert not (await hasher.verify(stored, None)).right
    await harness.add_account("alice1")
    kept = stored.replace("\0", "0")
    await give(harness, 1, kept)
    assert said(await Client(harness).log_in("alice1", kept or "x")) == (401, "wrong_credentials")
    (failed,) = [event for event in await harness.events() if event.tag is Tag.LOGIN_FAILED]
    # Where nothing is stored there is nothing to mend.
    assert (failed.account_number, failed.reason) == (1, "unreadable_hash" if kept else "")


TODAYS = Parameters(8 * 1024, 2)


def test_pw_4_a_broken_or_foreign_hash_costs_one_hash_like_all(hashed: list[Hashed]) -> None:
    hasher = Argon2idHasher(TODAYS, threads=1)
    for stored in ("", *BROKEN):
        hashed.clear()
        assert not hasher._verify(stored, b"x").right
        assert hashed == [("verify", TODAYS.memory_kib * TODAYS.passes)], stored
    hasher.close()


@pytest.mark.timing
def test_pw_4_a_broken_or_foreign_hash_takes_as_long_as_all(figure: Figure) -> None:
    hasher = Argon2idHasher(TODAYS, threads=1)
    one = cpu_seconds(partial(hasher._verify, "", b"x"))
    taken = {stored: cpu_seconds(partial(hasher._verify, stored, b"x")) for stored in BROKEN}
    hasher.close()
    cheapest, dearest = min(taken.values()), max(taken.values())
    figure(f"PW-4: broken hashes: {cheapest * 1000:.1f} to {dearest * 1000:.1f} ms, nobody's {one * 1000:.1f} ms")
    assert one > 0.001
    assert cheapest > 0.7 * one
    assert dearest < 1.5 * one


@pytest.mark.parametrize("given", ["", " ", "null", "None", "undefined", "0", "false"])
async def test_pw_5_an_account_without_a_password_has_none(harness: Harness, given: str) -> None:
    await harness.add_account("alice1", phone="13544285663")
    answer = await Client(harness).log_in("alice1", given)
    assert said(answer)[0] in {400, 401}
    told = await Shop(harness).call("login.user.user", username="alice1", password=given, platform="p")
    assert told["status"] == 500
    for odd in (b'"password":null', b'"x":1', b'"password":[]'):
        raw = b'{"login_id":"alice1",' + odd + b"}"
        assert (await harness.client.post("/weidu/api/v1/users/login", content=raw)).status_code == 400


def test_pw_6_keys_rotate_and_a_key_that_is_gone_is_an_answer_not_a_fault() -> None:
    """There is no pepper on passwords; what is keyed here are codes, CSRF values, captchas and sealed secrets."""
    index = Key("index", b"i" * 32)
    old, new = Key("old", b"o" * 32), Key("new", b"n" * 32)
    before, during, after = (Keyring(keys, index) for keys in ((old,), (new, old), (new,)))
    assert before.mac(Use.CODE, "123456") in during.macs(Use.CODE, "123456")
    assert during.mac(Use.CODE, "123456") == after.mac(Use.CODE, "123456") != before.mac(Use.CODE, "123456")
    assert during.csrf_fits("s", before.csrf("s"))
    assert not after.csrf_fits("s", before.csrf("s"))
    sealed = KeyringSealer(before).seal("secret")
    assert KeyringSealer(during).open(sealed) == "secret"
    assert KeyringSealer(during).seal("secret")[2:5] == b"new"
    with pytest.raises(SealBroken):
        KeyringSealer(after).open(sealed)
    for junk in (b"", b"\1", b"\1\3old", sealed[:-1], sealed[:-1] + b"\0", b"\2" + sealed[1:]):
        with pytest.raises(SealBroken):
            KeyringSealer(during).open(junk)


async def test_pw_7_no_row_ever_holds_a_password(harness: Harness) -> None:
    canaries = ["Canary-password-1", "Canary-password-2", "Canary-password-3", "Canary-wrong-4"]
    client, shop = Client(harness), Shop(harness)
    code, token = await client.code("13544285663", "signup")
    await client.post(
        "/users/mobile/signup", mobile="13544285663", sms_code=code, passwd=canaries[0], captcha_token=token
    )
    await client.log_in("13544285663", canaries[3])
    await client.post("/users/password", old_password=canaries[0], password=canaries[1])
    await shop.done(
        "add.user.item", username="bobby1", password=canaries[2], password_confirm=canaries[2], mobile="13800138000"
    )
    await shop.log_in("bobby1", canaries[2])
    dump: Any = str(tables(harness.data_dir)) + "".join(
        path.read_bytes().decode("latin-1") for path in harness.data_dir.iterdir() if path.is_file()
    )
    for canary in canaries:
        assert canary not in dump
        assert canary.encode().hex() not in dump
        assert hashlib.md5(canary.encode()).hexdigest() not in dump
        assert hashlib.sha256(canary.encode()).hexdigest() not in dump
    hasher = Argon2idHasher(Parameters(64, 1), threads=1)
    assert (await hasher.verify(await stored_of(harness), canaries[1].encode())).right
    hasher.close()
