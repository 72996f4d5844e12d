"""More logins than can be judged: refused before they are read, in the house's style. (Decision 0024.)"""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from menshen.core.problems import Problem, ProblemCode
from menshen.wire.weidu.routing import PREFIX
from tests.harness import Harness
from tests.substitutes import all_places_taken
from tests.wire.weidu.client import said
from tests.wire.weidu.scripted import ScriptedWeidu

LOGINS = "menshen_logins_total"
SHED = {"dialect": "weidu", "method": "password", "outcome": "overloaded"}


async def test_a_login_that_nobody_could_judge_is_refused_unread(harness: Harness) -> None:
    """Under a flood the refusals are many: nothing is parsed, asked of the database, or written a line about each."""
    counted = REGISTRY.get_sample_value(LOGINS, SHED) or 0
    async with all_places_taken(harness.assembled.hasher):
        with capture_logs() as lines:
            for body in (b"{", b'{"login_id":"a","password":"b"}', b"x" * 20_000):
                response = await harness.client.post(f"{PREFIX}/users/login", content=body)
                assert said(response) == (503, "overloaded")
                assert response.headers["retry-after"] == "1"
                assert response.json()["retry_after"] == 1
                assert response.headers["x-request-id"]
        other = await harness.client.post(f"{PREFIX}/users/mobile/login", content=b"{")
        assert said(other) == (400, "invalid_request")
        assert said(await harness.client.get(f"{PREFIX}/users/login"))[0] == 405
    assert {line["event"] for line in lines} == {"request.refused"}
    assert (REGISTRY.get_sample_value(LOGINS, SHED) or 0) - counted == 3
    assert await harness.events() == []


async def test_an_overload_found_later_is_one_bounded_line_too(script: ScriptedWeidu) -> None:
    script.answers["login.code"] = Problem(ProblemCode.OVERLOADED, "queue", 2)
    body = b'{"login_id":"13544285663","sms_code":"123456","captcha_token":"x"}'
    with capture_logs() as lines:
        async with script.client() as client:
            response = await client.post("/users/mobile/login", content=body)
    assert said(response) == (503, "overloaded")
    assert response.headers["retry-after"] == "2"
    assert [line["event"] for line in lines] == ["request.refused"]
