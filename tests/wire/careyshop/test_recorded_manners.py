"""What the recorded server did and this one does only when asked to (decision 0011)."""

from pathlib import Path
from urllib.parse import urlencode

from tests.harness import Harness, open_harness

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


async def test_an_apps_own_minimum_is_told_by_its_number(harness: Harness) -> None:
    asked = {"method": "add.user.item", "username": "newcomer", "mobile": "13800000001"}
    asked |= {"password": "qzv7tw", "password_confirm": "qzv7tw", "appkey": "11111111"}
    await harness.change_app(password_min=12)
    refused = await harness.client.post("/api/v1/user", data=asked)
    assert refused.json()["message"] == "密码长度不能小于 12"
    await harness.change_app(password_min=0)
    assert (await harness.client.post("/api/v1/user", data=asked)).json()["data"] is True
