"""Accounts that meet others, imports that are repeated, stopped and resumed; on both stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.importing.mysqldump.window import DumpError
from menshen.core.account.accounts import Status
from menshen.core.audit.events import Tag
from menshen.core.moving_in import Fate, Reason, RecordKind
from menshen.core.time import Instant
from menshen.flows.moving_in.source import BATCH
from menshen.ports.importing import SourceBroken
from tests.adapters.importing import shop
from tests.adapters.importing.moving import account, call, counts, login, take_in, verified, write_dump
from tests.adapters.importing.shop import DAY, NOW, user
from tests.adapters.importing.writing import dump_of
from tests.harness import Harness


def token(number: int, client: int, platform: str = "pc", expires: int = NOW + 20 * DAY) -> dict[str, Any]:
    return {
        "token_id": number, "client_id": client, "client_type": 0, "platform": platform, "token": f"{number:032x}",
        "token_expires": expires, "refresh": f"{number + 10**9:032x}", "refresh_expires": expires + DAY,
    }  # fmt: skip


# --- meeting others ---------------------------------------------------------------------------------------------------


async def test_who_registered_here_keeps_number_and_names(home: Harness, tmp_path: Path) -> None:
    mine = await home.add_account(username="alice1", phone="13800000002", email="c@example.com")
    assert mine.number == 1
    users = [
        user(1, "bob1"),
        user(2, "ALICE1", mobile="13800000001"),
        user(3, "carol1", mobile="13800000002", email="c@example.com", is_email=1),
        user(7, "dave7"),
    ]
    report = await take_in(home, write_dump(tmp_path, users, [token(1, 1), token(2, 2)]))
    assert await account(home, 1) == mine
    # The one whose number was in use got the one above all.
    bob = await account(home, 8)
    assert (bob.username, bob.phone) == ("bob1", None)
    alice, carol = await account(home, 2), await account(home, 3)
    assert alice.username != "alice1"
    assert alice.phone == "+8613800000001"
    assert (carol.username, carol.phone, carol.email) == ("carol1", None, None)
    assert (await account(home, 7)).username == "dave7"
    assert {reason: n for (_, fate, reason), n in report.reasons.items() if fate is Fate.TAKEN} == {
        Reason.RENUMBERED: 1,
        Reason.PHONE_TAKEN: 2,
        Reason.USERNAME_TAKEN: 1,
        Reason.EMAIL_TAKEN: 1,
    }
    assert counts(report, RecordKind.ACCOUNT) == (4, 0, 0)
    assert [told.number for told in report.lines if Reason.RENUMBERED in told.reasons] == [8]
    # Its token found it under its new number.
    assert await verified(home, token(1, 1)["token"]) == "8"
    assert await verified(home, token(2, 2)["token"]) == "2"
    assert (await home.add_account()).number == 9


async def test_an_unproved_claim_gives_way_to_whoever_proved_it_there(home: Harness, tmp_path: Path) -> None:
    await home.add_account(username="squat1", phone="13800000005", email="e@example.com", verified=False)
    users = [user(5, "owner5", email="E@example.com", is_email=1)]
    report = await take_in(home, write_dump(tmp_path, users))
    owner = await account(home, 5)
    assert (owner.phone, owner.email) == ("+8613800000005", "e@example.com")
    squatter = await account(home, 1)
    assert (squatter.phone, squatter.email) == (None, None)
    assert not report.reasons
    dropped = [e for e in await home.events() if e.tag is Tag.IDENTIFIER_DROPPED]
    assert [e.account_number for e in dropped] == [1, 1]
    assert all("13800000005" not in e.subject and e.subject for e in dropped)


async def test_claims_far_apart_in_the_dump(home: Harness, tmp_path: Path) -> None:
    far = BATCH + 10
    users = [user(n, f"user{n}", mobile="") for n in range(1, far + 2)]
    shared = {"mobile": "13900000000", "email": "far@example.com"}
    users[0] |= shared | {"is_mobile": 0}
    users[far] |= shared | {"is_email": 1}
    users[1] |= {"mobile": "13900000001"}
    users[far - 1] |= {"mobile": "13900000001", "username": "USER2"}
    report = await take_in(home, write_dump(tmp_path, users))
    first, last = await account(home, 1), await account(home, far + 1)
    assert (first.phone, first.email) == (None, None)
    assert (last.phone, last.email_verified) == ("+8613900000000", True)
    twin = await account(home, far)
    assert twin.phone is None
    assert twin.username != "user2"
    assert (await account(home, 2)).phone == "+8613900000001"
    assert report.reasons[RecordKind.ACCOUNT, Fate.TAKEN, Reason.USERNAME_TAKEN] == 1
    assert report.reasons[RecordKind.ACCOUNT, Fate.TAKEN, Reason.PHONE_TAKEN] == 1


async def test_numbers_that_cannot_be(home: Harness, tmp_path: Path) -> None:
    users = [user(1, f"user{n}") | {"user_id": value} for n, value in enumerate([0, -1, "x", 2**32, None, "1e3"])]
    report = await take_in(home, write_dump(tmp_path, users))
    assert report.reasons[RecordKind.ACCOUNT, Fate.LEFT_OUT, Reason.NUMBER_UNUSABLE] == 6
    assert (await home.add_account()).number == 1


async def test_one_number_twice_in_a_dump(home: Harness, tmp_path: Path) -> None:
    report = await take_in(home, write_dump(tmp_path, [user(1, "user1"), user(1, "user1")]))
    assert counts(report, RecordKind.ACCOUNT) == (1, 1, 0)
    assert (await account(home, 1)).username == "user1"


# --- again ------------------------------------------------------------------------------------------------------------


async def test_a_second_import_changes_nothing(home: Harness) -> None:
    await take_in(home)
    before = [await account(home, row["user_id"]) for row in shop.USERS], await home.events()
    apps = await home.store.read.apps.list_all()
    report = await take_in(home)
    assert counts(report, RecordKind.ACCOUNT) == (0, 28, 2)
    assert counts(report, RecordKind.APP) == (0, 3, 2)
    assert counts(report, RecordKind.SESSION) == (0, 6, 6)
    assert ([await account(home, row["user_id"]) for row in shop.USERS], await home.events()) == before
    assert await home.store.read.apps.list_all() == apps


async def test_a_later_dump_adds_what_is_new_and_changes_nothing(home: Harness, tmp_path: Path) -> None:
    await take_in(home, write_dump(tmp_path, [user(1, "user1"), user(2, "user2")], [token(1, 1)]))
    later = [user(1, "renamed1", password="junk"), user(2, "user2", is_delete=1), user(3, "user3")]
    report = await take_in(home, write_dump(tmp_path, later, [token(1, 1), token(2, 1, "ios"), token(3, 3)]))
    assert counts(report, RecordKind.ACCOUNT) == (1, 1, 1)
    assert counts(report, RecordKind.SESSION) == (2, 1, 0)
    assert (await account(home, 1)).username == "user1"
    assert (await account(home, 2)).status is Status.ACTIVE


@pytest.mark.parametrize("how", ["log out", "newer login", "password", "disabled", "closed"])
async def test_what_ended_here_is_not_revived(home: Harness, tmp_path: Path, how: str) -> None:
    """The token came in, or (the first import was killed before) only its account did."""
    apps = shop.APPS[:1]
    users, tokens = [user(1, "user1"), user(2, "user2")], [token(1, 1), token(2, 2)]
    await take_in(home, write_dump(tmp_path, users, tokens[:1], apps))
    for number, row in ((1, tokens[0]), (2, tokens[1])):
        name = f"user{number}"
        if how == "log out" and number == 1:
            await call(home, "logout.user.user", row["token"])
        elif how == "newer login":
            await login(home, name, platform="PC")
        elif how == "password":
            now = home.clock.now()
            await home.store.write(lambda tx, n=number, at=now: tx.accounts.set_password(n, "x", now=at))
            await home.store.write(lambda tx, n=number: tx.sessions.end_all(n))
        elif how == "disabled":
            await home.disable(name)
        elif how == "closed":
            await home.close_account(name)
    home.clock.advance(1000)
    await take_in(home, write_dump(tmp_path, users, tokens, apps))
    assert await verified(home, tokens[0]["token"]) is None
    if how == "log out":
        # Nobody here has ever seen this one, and nothing says that it ended.
        assert await verified(home, tokens[1]["token"]) == "2"
    else:
        assert await verified(home, tokens[1]["token"]) is None


async def test_another_shop_needs_another_name(home: Harness, tmp_path: Path) -> None:
    await take_in(home, write_dump(tmp_path, [user(1, "user1")]))
    others = [user(7, "other7"), user(1, "other1", create_time=1_500_000_000)]
    other = write_dump(tmp_path, others, [token(9, 1)])
    with pytest.raises(SourceBroken, match=r"^line [0-9]+: number 1 came in before as somebody else's"):
        await take_in(home, other)
    # Nothing came in, and above all nobody's token to somebody else's account.
    assert await home.store.read.accounts.find(7) is None
    assert await verified(home, token(9, 1)["token"]) is None
    report = await take_in(home, other, source="shop2")
    assert report.reasons[RecordKind.ACCOUNT, Fate.TAKEN, Reason.RENUMBERED] == 1
    assert (await account(home, 8)).username == "other1"
    assert await verified(home, token(9, 1)["token"]) == "8"


async def test_two_shops_that_tell_no_time_are_told_apart_by_names(home: Harness, tmp_path: Path) -> None:
    await take_in(home, write_dump(tmp_path, [user(1, "user1", create_time=0)]))
    report = await take_in(home, write_dump(tmp_path, [user(1, "user1", create_time=0)]))
    assert counts(report, RecordKind.ACCOUNT) == (0, 1, 0)
    with pytest.raises(SourceBroken):
        await take_in(home, write_dump(tmp_path, [user(1, "other1", create_time=0)]))


# --- stopped ----------------------------------------------------------------------------------------------------------


async def test_a_cut_dump_keeps_what_came_before_and_a_whole_one_goes_on(home: Harness, tmp_path: Path) -> None:
    users = [user(n, f"user{n}") for n in range(1, 2 * BATCH + 200)]
    tokens = [token(n, n) for n in range(1, 2 * BATCH + 200)]
    whole = dump_of({"cs_user": users, "cs_token": tokens})
    place = whole.index("'user1150'") + 3
    path = tmp_path / "cut.sql"
    path.write_text(whole[:place], "utf-8", newline="")
    with pytest.raises(DumpError, match=r"^line [0-9]+: a row of cs_user that is cut") as caught:
        await take_in(home, path)
    assert caught.value.line == whole.count("\n", 0, place) + 1
    assert (await account(home, 1149)).username == "user1149"
    assert await home.store.read.accounts.find(1150) is None
    assert await verified(home, tokens[0]["token"]) is None
    path.write_text(whole, "utf-8", newline="")
    report = await take_in(home, path)
    assert counts(report, RecordKind.ACCOUNT) == (50, 1149, 0)
    assert counts(report, RecordKind.SESSION) == (1199, 0, 0)
    assert await verified(home, tokens[-1]["token"]) == "1199"


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"cs_token": [token(1, 1)]}, "the dump holds no table cs_user"),
        ({"cs_user": [{"user_id": 1, "username": "user1"}]}, "line [0-9]+: cs_user has no column password"),
        ({"cs_user": [{"user_id": 1, "password": "", "mobile": ""}]}, "line [0-9]+: cs_user has no column username"),
        (
            {
                "cs_user": [user(1, "user1")],
                "cs_token": [{"token": "x", "client_id": 1, "platform": "", "token_expires": 1}],
            },
            "line [0-9]+: cs_token has no column client_type",
        ),
    ],
)  # fmt: skip
async def test_a_dump_of_something_else(home: Harness, tmp_path: Path, tables: dict[str, Any], says: str) -> None:
    path = tmp_path / "other.sql"
    path.write_text(dump_of(tables), "utf-8")
    with pytest.raises(DumpError, match=f"^{says}$"):
        await take_in(home, path)


async def test_only_what_is_needed_need_be_there(home: Harness, tmp_path: Path) -> None:
    few = [{"user_id": 4, "username": "user4", "password": shop.HASH}]
    await take_in(home, write_dump(tmp_path, few))
    came = await account(home, 4)
    assert (came.status, came.phone, came.created_at) == (Status.ACTIVE, None, Instant(0))
    assert (await login_by_default_app(home, "user4"))["message"] == "success"


async def login_by_default_app(home: Harness, username: str) -> Any:
    asked = {
        "method": "login.user.user", "username": username, "password": shop.PASSWORD, "platform": "pc",
        "appkey": home.app.appkey,
    }  # fmt: skip
    return (await home.client.post("/api/v1/user", data=asked)).json()
