"""A real MariaDB's dump comes in, on both stores: accounts, apps, passwords, live tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from menshen.core.account.accounts import Gender, Status
from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.moving_in import Fate, Reason, RecordKind
from menshen.core.plain_text import plain
from menshen.core.time import DAY
from tests.adapters.importing import shop
from tests.adapters.importing.moving import account, call, counts, login, take_in, verified, write_dump
from tests.harness import Harness


async def test_what_came_and_what_did_not(home: Harness) -> None:
    report = await take_in(home)
    assert counts(report, RecordKind.ACCOUNT) == (28, 0, 2)
    assert counts(report, RecordKind.APP) == (3, 0, 2)
    assert counts(report, RecordKind.SESSION) == (5, 0, 7)
    left_out = {(k, r): n for (k, fate, r), n in report.reasons.items() if fate is Fate.LEFT_OUT}
    assert left_out == {
        (RecordKind.ACCOUNT, Reason.DELETED): 2,
        (RecordKind.APP, Reason.DELETED): 1,
        (RecordKind.APP, Reason.APPKEY_UNUSABLE): 1,
        (RecordKind.SESSION, Reason.EXPIRED): 1,
        (RecordKind.SESSION, Reason.NOT_OF_AN_ACCOUNT): 1,
        (RecordKind.SESSION, Reason.ACCOUNT_DISABLED): 2,
        (RecordKind.SESSION, Reason.ACCOUNT_MISSING): 1,
        (RecordKind.SESSION, Reason.TOKEN_UNUSABLE): 1,
        (RecordKind.SESSION, Reason.NEWER_LOGIN): 1,
    }
    changed = {r: n for (_, fate, r), n in report.reasons.items() if fate is Fate.TAKEN}
    assert changed == {
        Reason.USERNAME_IS_A_PHONE: 2,
        Reason.USERNAME_UNUSABLE: 1,
        Reason.PHONE_TAKEN: 2,
        Reason.PHONE_UNUSABLE: 1,
        Reason.EMAIL_UNUSABLE: 1,
        Reason.EMAIL_TAKEN: 1,
        Reason.PASSWORD_UNKNOWN: 3,
        Reason.PROFILE_MENDED: 3,
    }


async def test_the_report_shows_nobody(home: Harness) -> None:
    report = await take_in(home)
    shown = " ".join(told.subject for told in report.lines)
    for row in shop.USERS:
        assert row["username"] not in shown
        assert row["mobile"] is None or row["mobile"] == "" or row["mobile"] not in shown


async def test_an_account_is_as_it_was(home: Harness) -> None:
    await take_in(home)
    alice = await account(home, 1)
    came = shop.USERS[0]
    assert (alice.username, alice.username_shown) == ("alice1", "alice1")
    assert (alice.phone, alice.phone_verified, alice.email, alice.email_verified) == (
        "+8613800000001",
        True,
        None,
        False,
    )
    assert alice.status is Status.ACTIVE
    assert alice.password_hash == f"careyshop${shop.HASH}"
    assert (alice.created_at, alice.updated_at) == (came["create_time"] * 1000, came["update_time"] * 1000)
    assert (alice.login_at, alice.login_ip) == (came["last_login"] * 1000, "203.0.113.9")
    assert alice.profile.nickname == "Alice 昵称"
    assert (alice.profile.gender, alice.profile.birthday) == (Gender.FEMALE, "1990-02-28")
    bob = await account(home, 2)
    assert (bob.username, bob.username_shown) == ("bob_b-2", "Bob_B-2")
    assert (bob.email, bob.email_verified) == ("bob@example.com", True)
    assert bob.profile.avatar_url == "//host/head_pic.jpg"


async def test_odd_values_come_through(home: Harness) -> None:
    await take_in(home)
    for row in shop.USERS[2:6] + [u for u in shop.USERS if u["username"] == "longnick"]:
        here = (await account(home, row["user_id"])).profile
        assert here.nickname == plain(row["nickname"].replace("\0", ""))
        # None of these is an address.
        assert here.avatar_url == ""
    nulls = await account(home, 7)
    assert (nulls.phone, nulls.email, nulls.password_hash) == (None, None, "")
    assert (nulls.login_at, nulls.login_ip, nulls.previous_login_at) == (0, "", 0)
    assert (nulls.profile.nickname, nulls.profile.avatar_url) == ("", "")
    zeros = await account(home, 8)
    assert (zeros.profile.birthday, zeros.login_at, zeros.login_ip) == ("", 0, "")
    assert zeros.updated_at == zeros.created_at
    # None of what the nasty texts pretend to be has happened.
    assert await home.store.read.accounts.find(77) is None


async def test_identifiers_follow_our_rules(home: Harness) -> None:
    await take_in(home)
    own_phone, foreign_phone, chinese = [await account(home, number) for number in (11, 12, 13)]
    for renamed in (own_phone, foreign_phone, chinese):
        assert renamed.username is not None
        assert renamed.username.isdigit()
        assert len(renamed.username) in range(15, 21)
        assert renamed.username_shown == renamed.username
    assert (own_phone.phone, own_phone.phone_verified) == ("+8613800000011", True)
    assert (foreign_phone.phone, foreign_phone.phone_verified) == ("+8613700000012", False)
    # The first of two with one number keeps it, unless only the second proved it.
    assert (await account(home, 14)).phone is None
    assert (await account(home, 25)).phone is None
    assert (await account(home, 3)).phone == "+8613800000003"
    assert (await account(home, 15)).phone is None
    assert (await account(home, 16)).phone == f"+86{shop.TAKES_OVER}"
    dropped = [e for e in await home.events() if e.tag is Tag.IDENTIFIER_DROPPED]
    assert [e.account_number for e in dropped] == [15]
    assert (await account(home, 27)).email is None
    assert (await account(home, 17)).email is None
    short = await account(home, 22)
    assert (short.phone, short.phone_verified) == ("+861380000", False)
    foreign = await account(home, 24)
    assert (foreign.phone, foreign.phone_verified) == ("+85261234567", True)


async def test_deleted_and_disabled(home: Harness) -> None:
    await take_in(home)
    assert (await account(home, 9)).status is Status.DISABLED
    for number in (10, 40_000_001):
        gone = await account(home, number)
        assert gone.status is Status.CLOSED
        assert (gone.username, gone.phone, gone.email, gone.password_hash) == (None, None, None, "")
    assert (await login(home, "disabled9"))["message"] == "账号或密码错误"
    assert (await login(home, "deleted10"))["message"] == "账号或密码错误"
    # Its name is free again, its number is not, and new numbers lie above every old one.
    newcomer = await home.add_account(username="deleted10")
    assert newcomer.number == 40_000_002


async def test_each_account_is_audited(home: Harness) -> None:
    await take_in(home)
    events = [e for e in await home.events() if e.tag is Tag.ACCOUNT_IMPORTED]
    assert sorted(e.account_number or 0 for e in events) == [row["user_id"] for row in shop.USERS]
    assert {e.reason for e in events} == {"careyshop", "deleted"}
    assert len([e for e in await home.events() if e.tag is Tag.APP_ADDED]) == 3


async def test_apps(home: Harness) -> None:
    await take_in(home)
    apps = {app.appkey: app for app in await home.store.read.apps.list_all()}
    assert set(apps) == {home.app.appkey, "88888888", "77777777", "66666666"}
    shopping, chinese, old = apps["88888888"], apps["77777777"], apps["66666666"]
    assert (shopping.name, shopping.secret, shopping.captcha, shopping.disabled) == (
        "Shop", shop.APPS[0]["app_secret"], CaptchaRule.RISK, False,
    )  # fmt: skip
    assert (chinese.name, chinese.captcha) == ("careyshop-77777777", CaptchaRule.ALWAYS)
    assert (old.name, old.disabled) == ("Old", True)


async def test_an_app_that_is_here_already(home: Harness) -> None:
    await home.add_app("Shop", appkey="12121212")
    await home.add_app("mine", appkey="77777777", secret="another secret...")
    report = await take_in(home)
    assert counts(report, RecordKind.APP) == (2, 0, 3)
    assert report.reasons[RecordKind.APP, Fate.LEFT_OUT, Reason.APPKEY_TAKEN] == 1
    apps = {app.appkey: app for app in await home.store.read.apps.list_all()}
    assert apps["88888888"].name == "careyshop-88888888"
    assert apps["77777777"].secret == "another secret..."


@pytest.mark.parametrize("username", ["alice1", "ALICE1", "bob_B-2", "bcrypt18", "argon19", "upper28", "13800000011"])
async def test_the_old_password_logs_in_and_its_hash_is_replaced(home: Harness, username: str) -> None:
    await take_in(home)
    answer = await login(home, username)
    assert answer["message"] == "success"
    number = answer["data"]["user"]["user_id"]
    fresh = (await account(home, number)).password_hash
    assert fresh.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert [e.account_number for e in await home.events() if e.tag is Tag.PASSWORD_REHASHED] == [number]
    assert (await login(home, username))["message"] == "success"
    assert (await account(home, number)).password_hash == fresh


async def test_the_login_before_the_move_is_shown(home: Harness) -> None:
    await take_in(home)
    told = await call(home, "get.user.info", shop.ALICE["token"], client_id=1)
    assert (told["data"]["last_login"], told["data"]["last_ip"]) == ("2026-11-18 08:00:00", "203.0.113.9")
    user = (await login(home, "alice1"))["data"]["user"]
    assert (user["last_login"], user["last_ip"]) == ("2026-11-18 08:00:00", "203.0.113.9")


async def test_no_stored_text_is_a_password(home: Harness) -> None:
    await take_in(home)
    for username, text in (
        ("alice1", shop.HASH),
        ("alice1", f"careyshop${shop.HASH}"),
        ("upper28", shop.HASH.upper()),
        ("bcrypt18", shop.BCRYPT),
        ("argon19", shop.ARGON2),
        ("junk20", "plain text!"),
        ("empty21", ""),
        ("empty21", "      "),
    ):
        answer = await login(home, username, text)
        assert answer["status"] == 500
        assert answer["message"] in {"账号或密码错误", "密码不能为空"}


async def test_a_live_token_stays_valid(home: Harness) -> None:
    await take_in(home)
    for row, number in ((shop.ALICE, 1), (shop.ALICE_WEB, 1), (shop.NO_REFRESH, 5), (shop.FARAWAY, 40_000_000)):
        answer = await call(home, "get.user.info", row["token"], client_id=number)
        assert answer["data"]["user_id"] == number
        assert await verified(home, row["token"]) == str(number)
        home.clock.at = row["token_expires"] * 1000 - 1
        assert await verified(home, row["token"]) == str(number)
        home.clock.at += 1
        assert (await call(home, "get.user.info", row["token"], client_id=number))["message"] == "token已过期"
        assert await verified(home, row["token"]) is None
        home.clock.at = shop.NOW * 1000


async def test_only_live_tokens_of_accounts_came(home: Harness) -> None:
    await take_in(home)
    dead = (
        shop.ALICE_OLD,
        shop.ZEROS_DEAD,
        shop.ADMIN,
        shop.OF_DISABLED,
        shop.OF_DELETED,
        shop.OF_NOBODY,
        shop.CRIPPLED,
    )
    for row in dead:
        assert await verified(home, row["token"]) is None
        assert (await call(home, "get.user.info", row["token"], client_id=1))["status"] == 401
    assert [s.platform for s in await home.store.read.sessions.list_of(1)] == ["ios", "web"]
    assert await home.store.read.sessions.list_of(9) == []


async def test_a_platforms_name_comes_in_as_it_may_be_shown(home: Harness, tmp_path: Path) -> None:
    """The old shop took whatever a client called itself."""
    tokens = [dict(shop.ALICE, platform="i\x1b[2JOS"), dict(shop.ALICE_WEB, platform="\u202eWeb\n")]
    await take_in(home, write_dump(tmp_path, [shop.user(1, "alice1")], tokens))
    shown = {session.platform for session in await home.store.read.sessions.list_of(1)}
    assert shown == {"i\ufffd[2jos", "\ufffdweb\ufffd"}
    for row in tokens:
        assert await verified(home, row["token"]) == "1"


async def test_a_refresh_goes_on_working(home: Harness) -> None:
    await take_in(home)
    row = shop.BOB_LAPSED
    assert (await call(home, "get.user.info", row["token"], client_id=2))["message"] == "token已过期"
    answer = await call(home, "refresh.user.token", row["token"], refresh=row["refresh"])
    fresh = answer["data"]["token"]["token"]
    assert await verified(home, fresh) == "2"
    assert await verified(home, row["token"]) is None


async def test_a_newer_login_ends_the_token_of_its_platform(home: Harness) -> None:
    await take_in(home)
    await login(home, "alice1", platform="IOS")
    assert await verified(home, shop.ALICE["token"]) is None
    assert await verified(home, shop.ALICE_WEB["token"]) == "1"


async def test_an_imported_token_proves_nobody_afresh(home: Harness) -> None:
    await take_in(home)
    (session, _) = [s for s in await home.store.read.sessions.list_of(1) if s.platform in {"ios", "web"}]
    assert not session.fresh(home.clock.now())
    assert session.created_at < home.clock.now() - 9 * DAY


async def test_tokens_and_secrets_are_nowhere_in_clear(home: Harness, request: pytest.FixtureRequest) -> None:
    await take_in(home)
    if home.data_dir.joinpath("menshen.db").exists():
        kept = b"".join(path.read_bytes() for path in home.data_dir.glob("menshen.db*"))
        for row in shop.TOKENS:
            assert row["token"].encode() not in kept
            assert row["refresh"] is None or row["refresh"].encode() not in kept
        for app in shop.APPS:
            assert app["app_secret"].encode() not in kept


async def test_a_shop_that_proved_every_mobile(home: Harness) -> None:
    await take_in(home, trust_mobiles=True)
    assert (await account(home, 5)).phone_verified
    # A name that is one's own phone goes on logging in.
    assert (await login(home, "13700000012"))["data"]["user"]["user_id"] == 12
    assert not (await account(home, 22)).phone_verified
