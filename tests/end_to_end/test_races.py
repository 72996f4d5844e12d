"""Real racers over HTTP: one token, one session, however many come at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.end_to_end.clients import WEIDU, carey_login, curl_d, send_code, verified
from tests.end_to_end.conftest import PASSWORD
from tests.server import Server

RACERS = 50


def race(run: Callable[[int], Any]) -> list[Any]:
    """Start all of them at one barrier."""
    barrier = threading.Barrier(RACERS)

    def racer(number: int) -> Any:
        barrier.wait(60)
        return run(number)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(racer, range(RACERS)))


def test_fifty_logins_on_one_platform_leave_one_live_token_on_each_of_twenty_rounds(
    server: Server, appkey: str
) -> None:
    for _ in range(20):
        answers = race(lambda _: carey_login(server, appkey, "dnyz529", PASSWORD, "iOS"))
        assert [answer["status"] for answer in answers] == [200] * RACERS
        tokens = [answer["data"]["token"]["token"] for answer in answers]
        assert sum(verified(server, token) for token in tokens) == 1


def test_one_code_under_fifty_racers_opens_one_session(server: Server) -> None:
    code, captcha = send_code(server, "13544285661")
    asked = json.dumps({"login_id": "13544285661", "sms_code": code, "captcha_token": captcha})
    answers = race(lambda _: curl_d(server, f"{WEIDU}/users/mobile/login", asked))
    assert min(answer.status for answer in answers) == 200
    granted = [answer for answer in answers if answer.status == 200]
    assert len(granted) == 1
    assert {answer.status for answer in answers} <= {200, 401, 429}
    assert verified(server, granted[0].one("token"))
