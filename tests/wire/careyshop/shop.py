"""A client of the shop, as clients of 2018 are: it knows the documents, and nothing of the server."""

import time
from typing import Any

import httpx
import jsonschema

from menshen.wire.careyshop.described.openapi import openapi
from menshen.wire.careyshop.methods import METHODS
from tests.harness import Harness
from tests.wire.careyshop.signing import sign

APPKEY = "11111111"
SECRET = "0123456789abcdef0123456789abcdef"
ACCOUNT_FIELDS = [
    "user_id", "username", "mobile", "is_mobile", "email", "is_email", "nickname", "head_pic", "sex", "birthday",
    "user_level_id", "user_address_id", "group_id", "last_login", "last_ip", "status", "create_time", "update_time",
]  # fmt: skip
TOKEN_FIELDS = ["group_id", "token", "token_expires", "refresh", "refresh_expires"]


def shown(instant: int) -> str:
    """An instant (epoch ms) on the clocks of Shanghai."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(instant // 1000 + 8 * 3600))


DOCUMENT = openapi(METHODS, "0")
_OPERATIONS = {path.rpartition("/")[2]: verbs["post"] for path, verbs in DOCUMENT["paths"].items()}


def hold_to_the_document(method: str, body: dict[str, Any]) -> None:
    """Nothing is answered that the document does not announce. Methods that are none have no place in it."""
    if method in _OPERATIONS:
        announced = _OPERATIONS[method]["responses"]
        assert str(body["status"]) in announced, f"{method} answers an unannounced {body}"
        schema = announced[str(body["status"])]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(body)


class Shop:
    """Calls methods with everything right, unless told otherwise; `None` leaves a public parameter out."""

    def __init__(self, harness: Harness, client: httpx.AsyncClient | None = None) -> None:
        self.harness = harness
        self.client = client or harness.client

    def asked(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The parameters of a call, signed."""
        secret = parameters.pop("secret", SECRET)
        # What the server goes by: its clock may be wrong.
        now = str(self.harness.assembled.ports.world.now() // 1000)
        whole = {"method": method or None, "appkey": APPKEY, "timestamp": now, **parameters}
        whole = {name: value for name, value in whole.items() if value is not None}
        return whole if "sign" in parameters else {**whole, "sign": sign(whole, secret)}

    async def send(self, method: str, **parameters: Any) -> httpx.Response:
        """One call by a form, whatever its answer."""
        controller = {"verification": "verification", "app": "app"}.get(method.split(".")[1], "user")
        return await self.client.post(f"/api/v1/{controller}", data=self.asked(method, **parameters))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The envelope of a call."""
        response = await self.send(method, **parameters)
        assert response.status_code == 200
        body: dict[str, Any] = response.json()
        assert list(body) == ["status", "message", "data"]
        hold_to_the_document(method, body)
        return body

    async def done(self, method: str, **parameters: Any) -> Any:
        """The data of a call that must succeed."""
        body = await self.call(method, **parameters)
        assert (body["status"], body["message"]) == (200, "success"), body
        return body["data"]

    async def refused(self, method: str, **parameters: Any) -> str:
        """The text of a call that must fail."""
        body = await self.call(method, **parameters)
        assert body["status"] != 200, body
        assert body["data"] is None
        return str(body["message"])

    async def log_in(
        self, username: str = "alice1", password: str = "Passw0rd!", platform: str = "pc"
    ) -> dict[str, Any]:
        """A login's data."""
        data = await self.done("login.user.user", username=username, password=password, platform=platform)
        assert isinstance(data, dict)
        return data

    async def is_live(self, token: str) -> bool:
        """Whether a token is good for anything."""
        return bool((await self.call("get.user.info", client_id="1", token=token))["status"] == 200)
