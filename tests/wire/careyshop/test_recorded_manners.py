"""What the recorded server did and this one does only when asked to (decision 0011)."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop

PASSWORD = "a fine pass"
ODD = 'Bob<b>&"'


async def _login(harness: Harness, username: object, **more: str) -> str:
    asked = {"method": "login.user.user", "appkey": "11111111", "username": username, "password": PASSWORD}
    asked |= {"platform": "pc", **more}
    if isinstance(username, int):
        return (await harness.client.post("/api/v1/user", json=asked)).text
    return (await harness.client.get(f"/api/v1/user?{urlencode(asked)}")).text


async def _prepared(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    number = (await harness.add_account("123456", password=PASSWORD)).number
    now = harness.clock.now()
    await harness.store.write(lambda tx: tx.accounts.set_profile(number, {"nickname": ODD}, now=now))


async def test_by_default_names_are_the_stored_ones_and_xml_is_escaped(harness: Harness) -> None:
    await _prepared(harness)
    assert '"username":"alice1"' in await _login(harness, "ALICE1")
    assert '"username":"123456"' in await _login(harness, 123456)
    assert "<nickname>Bob&lt;b&gt;&amp;&quot;</nickname>" in await _login(harness, "123456", format="xml")


async def test_with_the_switch_they_are_as_recorded(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_CAREYSHOP__RECORDED_MANNERS": "true"}) as harness:
        await _prepared(harness)
        assert '"username":"ALICE1"' in await _login(harness, "ALICE1")
        assert '"username":123456' in await _login(harness, 123456)
        assert f"<nickname>{ODD}</nickname>" in await _login(harness, "123456", format="xml")


async def _marked(harness: Harness) -> str:
    """The answer to JSON behind a byte order mark, under a type that says JSON and under one that does not."""
    raw = b'\xef\xbb\xbf{"method":"check.user.username","username":"fresh_1"}'
    told = [
        (await harness.client.post("/api/v1/user", content=raw, headers={"content-type": kind})).text
        for kind in ("application/json", "text/plain; charset=utf-8")
    ]
    assert told[0] == told[1]
    return told[0]


async def test_by_default_a_byte_order_mark_and_blanks_around_a_name_are_skipped(harness: Harness) -> None:
    await _prepared(harness)
    assert await _marked(harness) == '{"status":200,"message":"success","data":true}'
    assert '"username":"alice1"' in await _login(harness, "alice1 ")


async def test_with_the_switch_both_are_refused_as_recorded(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_CAREYSHOP__RECORDED_MANNERS": "true"}) as harness:
        await _prepared(harness)
        assert await _marked(harness) == '{"status":403,"message":"权限不足","data":null}'
        refused = '{"status":500,"message":"账号只能是字母、数字和下划线_及破折号-","data":null}'
        assert await _login(harness, "alice1 ") == refused


@pytest.mark.parametrize("recorded", [False, True])
async def test_with_the_switch_a_spent_pair_is_refused_at_once(tmp_path: Path, recorded: bool) -> None:
    async with open_harness(tmp_path, {"MENSHEN_CAREYSHOP__RECORDED_MANNERS": str(recorded).lower()}) as harness:
        await harness.add_account("alice1", password="Passw0rd!")
        shop = Shop(harness)
        old = (await shop.log_in())["token"]
        new = await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"])
        again = await shop.call("refresh.user.token", token=old["token"], refresh=old["refresh"])
        assert (again["status"], again["data"]) == ((401, None) if recorded else (200, new))
        assert await shop.is_live(new["token"]["token"])
        # Later it is a theft either way.
        harness.clock.advance(30_001)
        assert await shop.refused("refresh.user.token", token=old["token"], refresh=old["refresh"])
        assert not await shop.is_live(new["token"]["token"])


async def test_an_apps_own_minimum_is_told_by_its_number(harness: Harness) -> None:
    asked = {"method": "add.user.item", "username": "newcomer", "mobile": "13800000001"}
    asked |= {"password": "qzv7tw", "password_confirm": "qzv7tw", "appkey": "11111111"}
    await harness.change_app(password_min=12)
    refused = await harness.client.post("/api/v1/user", data=asked)
    assert refused.json()["message"] == "密码长度不能小于 12"
    await harness.change_app(password_min=0)
    assert (await harness.client.post("/api/v1/user", data=asked)).json()["data"] is True
