"""More logins than can be judged: refused before they are read, in the house's style. (Decision 0024.)"""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from menshen.core.problems import Problem, ProblemCode
from menshen.wire.weidu.routing import PREFIX
from tests.harness import Harness
from tests.wire.weidu.client import said
from tests.wire.weidu.paper import Paper

LOGINS = "menshen_logins_total"
SHED = {"dialect": "weidu", "method": "password", "outcome": "overloaded"}


async def test_a_login_that_nobody_could_judge_is_refused_unread(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a flood the refusals are many: nothing is parsed, asked of the database, or written a line about each."""
    monkeypatch.setattr(type(harness.assembled.hasher), "full", property(lambda _: True))
    counted = REGISTRY.get_sample_value(LOGINS, SHED) or 0
    with capture_logs() as lines:
        for body in (b"{", b'{"login_id":"a","password":"b"}', b"x" * 20_000):
            response = await harness.client.post(f"{PREFIX}/users/login", content=body)
            assert said(response) == (503, "overloaded")
            assert response.headers["retry-after"] == "1"
            assert response.json()["retry_after"] == 1
            assert response.headers["x-request-id"]
    assert {line["event"] for line in lines} == {"request.refused"}
    assert (REGISTRY.get_sample_value(LOGINS, SHED) or 0) - counted == 3
    assert await harness.events() == []
    assert said(await harness.client.post(f"{PREFIX}/users/mobile/login", content=b"{")) == (400, "invalid_request")
    assert said(await harness.client.get(f"{PREFIX}/users/login"))[0] == 405


async def test_an_overload_found_later_is_one_bounded_line_too(paper: Paper) -> None:
    paper.answers["login.code"] = Problem(ProblemCode.OVERLOADED, "queue", 2)
    body = b'{"login_id":"13544285663","sms_code":"123456","captcha_token":"x"}'
    with capture_logs() as lines:
        async with paper.client() as client:
            response = await client.post("/users/mobile/login", content=body)
    assert said(response) == (503, "overloaded")
    assert response.headers["retry-after"] == "2"
    assert [line["event"] for line in lines] == ["request.refused"]
