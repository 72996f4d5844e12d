"""What clients of each dialect do, over a started server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import altcha

from tests.server import Answer, Server

WEIDU = "/weidu/api/v1"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*", "User-Agent": "curl/7.88.1"}


def curl_d(server: Server, path: str, data: str) -> Answer:
    """What `curl -X POST … -d '…'` sends: JSON under a form's content type."""
    return server.call("POST", path, data, FORM)


def app_of_host(server: Server) -> int:
    """Return the number of the app that answers here: a challenge names it."""
    asked = server.call("GET", f"{WEIDU}/users/behavior/challenge").json()
    return int(asked["parameters"]["data"]["app"])


def captcha_token(server: Server) -> str:
    """Solve the behaviour test."""
    asked = server.call("GET", f"{WEIDU}/users/behavior/challenge").json()
    challenge = altcha.Challenge.from_dict({key: asked[key] for key in ("parameters", "signature")})
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    solved = altcha.Payload(challenge, solution).to_base64()
    answer = curl_d(server, f"{WEIDU}/users/behavior/verification", json.dumps({"captcha_id": solved}))
    assert answer.status == 200, answer.body
    return str(answer.json()["captcha_token"])


def send_code(server: Server, phone: str, purpose: str = "login") -> tuple[str, str]:
    """Have a code sent; (the code as the outbox shows it, the captcha token it was sent with)."""
    token = captcha_token(server)
    asked = json.dumps({"mobile": phone, "captcha_token": token, "purpose": purpose})
    answer = curl_d(server, f"{WEIDU}/users/mobile/sms", asked)
    assert answer.status == 200, answer.body
    messages = json.loads(server.menshen("outbox", "--to", phone, "--json"))
    return str(messages[-1]["code"]), token


def carey_login(server: Server, appkey: str, username: str, password: str, platform: str) -> dict[str, Any]:
    form = {
        "method": "login.user.user",
        "appkey": appkey,
        "username": username,
        "password": password,
        "platform": platform,
    }
    answer: dict[str, Any] = server.call("POST", "/api/v1/user", urlencode(form), FORM).json()
    return answer


def verified(server: Server, token: str) -> bool:
    """Whether the token check lets it through."""
    status = server.call("GET", "/auth/verify", headers={"Authorization": f"Bearer {token}"}).status
    assert status in {204, 401}
    return status == 204
