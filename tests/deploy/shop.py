"""A CareyShop client through a proxy."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from tests.deploy.fronts import Front
from tests.faults.site import APPKEY, PASSWORD, SECRET, username
from tests.wire.careyshop.signing import sign

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signed(method: str, **parameters: Any) -> str:
    """The form of a call, signed."""
    whole = {"method": method, "appkey": APPKEY, "timestamp": str(int(time.time())), **parameters}
    whole["sign"] = sign(whole, SECRET)
    return urlencode(whole)


def login_form(number: int, platform: str = "web") -> str:
    return signed("login.user.user", username=username(number), password=PASSWORD, platform=platform)


def log_in(front: Front, number: int, platform: str = "web") -> str:
    """The token of a new session."""
    answer = front.call("POST", "/api/v1/user", login_form(number, platform), FORM)
    assert answer.json()["status"] == 200, answer
    return str(answer.json()["data"]["token"]["token"])


def log_out(front: Front, token: str) -> None:
    assert front.call("POST", "/api/v1/user", signed("logout.user.user", token=token), FORM).json()["status"] == 200
