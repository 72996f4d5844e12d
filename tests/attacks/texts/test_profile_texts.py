"""Names and pictures of people and apps move no cursor, turn no line and run no script of their readers. (IN-11.)"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from menshen.core.account.accounts import Profile
from menshen.core.account.asks import ProfileEdit, Registration
from menshen.core.moving_in import Fate, Reason, RecordKind
from menshen.core.networks import scales_of
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.sessions import canonical_platform
from menshen.flows.apps.manage import add_app, change_app
from menshen.wire.careyshop.call import RULES
from tests.adapters.importing import shop as dump
from tests.adapters.importing.moving import take_in, write_dump
from tests.harness import Harness
from tests.server import Server
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

ESC, TURN, CSI = "\x1b[2J", "\u202e", "\x9b31m"
SCRIPT = "javascript:alert(document.cookie)"
EVIL: dict[str, str] = {
    "nickname": f"a\n{ESC}{TURN}b{CSI}", "avatar_url": SCRIPT, "city": f"x{ESC}", "province": f"x{TURN}",
    "country": "x\r\ny", "level": f"x{CSI}", "major": "x\u2028y", "description": f"one\ntwo{ESC}{TURN}",
}  # fmt: skip


def moves(text: str) -> list[str]:
    """The characters of a text that move or turn a line."""
    odd = {c for c in text if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"}} - {"\n", "\t", "\r"}
    return sorted(
        map(ascii, odd | set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(text))
    )


def shown(answer: Any) -> None:
    """Every text of an answer, however deep: plain, and no address but of http(s)."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name in {"avatar_url", "head_pic"}:
                assert value == "" or value.startswith(("http://", "https://", "//")), (name, value)
            if isinstance(value, str) and name != "desc":
                assert "\n" not in value, (name, value)
            shown(value)
    elif isinstance(answer, list):
        for value in answer:
            shown(value)
    elif isinstance(answer, str):
        assert moves(answer) == []


@pytest.mark.attack("IN-11")
@pytest.mark.parametrize("field", EVIL)
async def test_every_entrance_of_the_core_refuses_it(site: Harness, field: str) -> None:
    """Whatever a dialect lets through: the flows judge."""
    await site.add_account("alice1", password=PASSWORD)
    client = Client(site)
    await client.log_in("alice1")
    found = await site.flows.sessions.authenticate(client.token)
    assert not isinstance(found, Denied)
    origin = Origin(site.app, RULES, "203.0.113.9", scales_of("203.0.113.9"))
    refused = Denied(ProblemCode.INVALID_REQUEST, field=field)
    assert await site.flows.account.edit_profile(ProfileEdit({field: EVIL[field]}), found, origin) == refused
    texts: dict[str, Any] = {field: EVIL[field]}
    ask = Registration("mallory1", "battery staple", profile=Profile(**texts))
    assert await site.flows.account.register(ask, origin) == refused
    assert await site.store.read.accounts.find(2) is None
    assert (await site.store.read.accounts.find(1)).profile == Profile()


@pytest.mark.attack("IN-11")
async def test_both_dialects_refuse_it_by_name(site: Harness) -> None:
    await site.add_account("alice1", password=PASSWORD)
    client, shop = Client(site), Shop(site)
    await client.log_in("alice1")
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    for name, sent in (("nickname", EVIL["nickname"]), ("avatar_url", SCRIPT), ("desc", EVIL["description"])):
        answer = await client.call("PUT", "/users/update", {name: sent})
        assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (400, "invalid_request", name)
    for name, sent, text in (("nickname", EVIL["nickname"], "昵称格式不符"), ("head_pic", SCRIPT, "头像格式不符")):
        assert await shop.refused("set.user.item", client_id="1", token=token, **{name: sent}) == text
        new = {"username": "mallory1", "password": "battery staple", "password_confirm": "battery staple"}
        assert await shop.refused("add.user.item", mobile="13700130000", **new, **{name: sent}) == text


@pytest.mark.attack("IN-11")
async def test_rows_of_older_releases_are_shown_plain(site: Harness) -> None:
    """By every dialect, to their owner and to others; the row itself stays as it is."""
    await site.add_account("alice1", password=PASSWORD)
    # Past every flow, as an older release may have kept it.
    await site.store.write(lambda tx: tx.accounts.set_profile(1, EVIL, now=site.clock.now()))
    await site.add_account("bob12", password=PASSWORD)
    client, other, shop = Client(site), Client(site), Shop(site)
    login = (await client.log_in("alice1")).json()
    await other.log_in("bob12")
    theirs = (await other.get(f"/users/info?user_id={login['user_info']['id']}")).json()
    shopping = await shop.log_in("alice1", PASSWORD)
    token = shopping["token"]["token"]
    answers = [
        login, theirs, shopping, (await client.get("/users/info")).json(),
        await shop.done("get.user.info", client_id="1", token=token),
        await shop.done("get.user.item", client_id="1", token=token),
    ]  # fmt: skip
    for answer in answers:
        shown(answer)
    assert theirs["user_info"]["nickname"] == "a��[2J�b�31m"
    assert theirs["user_info"]["avatar_url"] == shopping["user"]["head_pic"] == ""
    assert theirs["user_info"]["desc"] == "one\ntwo�[2J�"
    xml = await shop.send("get.user.item", client_id="1", token=token, format="xml")
    assert moves(xml.text) == []


@pytest.mark.attack("IN-11")
async def test_an_import_brings_none_of_it_and_says_so(harness: Harness, tmp_path: Path) -> None:
    """Names keep what is plain of them; a script is no picture, and a zone is no part of an address."""
    rows = [
        dump.user(1, "alice1", nickname=EVIL["nickname"], head_pic=SCRIPT, last_ip=f"fe80::1%{ESC}<b>"),
        dump.user(2, f"{ESC}{TURN}", nickname="小明", head_pic="//host/x.jpg", last_ip="::ffff:203.0.113.9"),
    ]
    report = await take_in(harness, write_dump(tmp_path, rows))
    assert report.reasons[RecordKind.ACCOUNT, Fate.TAKEN, Reason.PROFILE_MENDED] == 1
    one, two = [await harness.store.read.accounts.find(number) for number in (1, 2)]
    assert (one.profile.nickname, one.profile.avatar_url, one.login_ip) == ("a��[2J�b�31m", "", "fe80::1")
    assert (two.profile.nickname, two.profile.avatar_url, two.login_ip) == ("小明", "//host/x.jpg", "203.0.113.9")
    assert [moves(line.subject) for line in report.lines] == [[]] * len(report.lines)
    assert [moves(event.subject) for event in await harness.events()] == [[]] * 2


@pytest.mark.attack("IN-11")
async def test_names_of_apps_and_platforms_are_plain_too(harness: Harness) -> None:
    ports = {"store": harness.store, "world": harness.clock}
    for name in (f"x{CSI}", f"x{TURN}", "x\u2028"):
        refused = Denied(ProblemCode.INVALID_REQUEST, field="app_name")
        assert await add_app("odd", {"app_name": name}, **ports) == refused
        assert await change_app("default", {"app_name": name}, **ports) == refused
    # An older release took it: such an app can be disabled all the same.
    await harness.change_app(app_name=f"x{TURN}")
    assert not isinstance(await change_app("default", {"disabled": True}, **ports), Denied)
    assert moves(canonical_platform(f"pc{ESC}{TURN}")) == []


@pytest.mark.attack("IN-11")
async def test_the_trail_keeps_no_control_that_somebody_typed(harness: Harness) -> None:
    """Also for those who read the table past `menshen audit`."""
    for typed in (f"{ESC}x", f"{TURN}x", f"{CSI}@x{TURN}.example"):
        await Client(harness).log_in(typed, "wrong")
    events = await harness.events()
    assert len(events) == 3
    assert [moves(event.subject) for event in events] == [[], [], []]


@pytest.mark.attack("IN-11")
def test_what_commands_write_moves_no_cursor(served: Server, tmp_path: Path) -> None:
    """The report of an import is a file that people print to their terminal."""
    rows = [dump.user(1, f"{CSI}evil", nickname=EVIL["nickname"], is_delete=1)]
    apps = [{"app_name": "x", "app_key": f"{CSI}{TURN}x", "app_secret": "s" * 32, "captcha": 0, "status": 1}]
    path = write_dump(tmp_path, rows, apps=apps)
    report = tmp_path / "report.json"
    told = served.menshen("import", "careyshop", str(path), "--dry-run", "--report", str(report), "--json")
    written = report.read_text("utf-8")
    assert moves(written) == moves(told) == []
    subjects = [line["subject"] for line in json.loads(written)["lines"]]
    assert any(TURN in subject for subject in subjects)
