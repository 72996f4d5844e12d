"""The shop's web client, as it calls: JSON as text/plain to spare the preflight, a clock of its own, everything signed.

login, info, edit, refresh, password change, logout.
"""

import json
from typing import Any

from tests.wire.careyshop.shop import APPKEY, SECRET, Shop
from tests.wire.careyshop.signing import sign


class WebClient:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.token = ""

    async def call(self, method: str, **fields: Any) -> Any:
        """Numbers and booleans stay what they are, in the body and under the sign."""
        body = {
            **fields,
            "method": method,
            "appkey": int(APPKEY),
            "timestamp": self.shop.harness.clock.now() // 1000 + 100,
            "format": "json",
            "debug": False,
            "ratio": 1.50,
            "nothing": None,
            "list": [1, {"a": True}],
        }
        if self.token:
            body["token"] = self.token
        body["sign"] = sign(body, SECRET)
        response = await self.shop.client.post(
            "/api/v1/user",
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            headers={"content-type": "text/plain; charset=utf-8", "origin": "https://shop.example"},
        )
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        answer = response.json()
        assert answer["status"] == 200, answer
        return answer["data"]


async def test_the_web_clients_day(shop: Shop) -> None:
    web = WebClient(shop)
    data = await web.call("login.user.user", username="alice1", password="Passw0rd!", platform="web", remember=True)
    web.token, refresh = data["token"]["token"], data["token"]["refresh"]
    number = data["user"]["user_id"]
    assert (await web.call("get.user.item", client_id=number))["nickname"] == ""
    edited = await web.call("set.user.item", client_id=number, nickname="小明 & <Alice>/", sex=2, birthday="2000-02-29")
    assert (edited["nickname"], edited["sex"]) == ("小明 & <Alice>/", 2)
    renewed = (await web.call("refresh.user.token", refresh=refresh))["token"]
    assert renewed["token"] != web.token
    web.token = renewed["token"]
    assert (await web.call("get.user.info", client_id=number))["nickname"] == "小明 & <Alice>/"
    change = {"password_old": "Passw0rd!", "password": "New-pass-1", "password_confirm": "New-pass-1"}
    assert await web.call("set.user.password", client_id=number, **change) is True
    web.token = ""
    data = await web.call("login.user.user", username="alice1", password="New-pass-1", platform="web")
    web.token = data["token"]["token"]
    assert await web.call("logout.user.user") is True
    assert not await shop.is_live(web.token)
