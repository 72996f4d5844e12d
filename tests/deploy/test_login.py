"""Both dialects through the proxies: cookies, addresses, what ends on one node, what is for inside."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import urlencode

import pytest

from tests.deploy.fronts import LOGIN, Front
from tests.deploy.shop import log_in, log_out
from tests.end_to_end.clients import WEIDU, captcha_token, curl_d, verified
from tests.faults.site import PASSWORD, Site, phone, username
from tests.faults.waiting import wait_until

pytestmark = pytest.mark.deploy


def test_a_browser_logs_in_by_weidu_over_https(front: Front) -> None:
    asked = {"login_id": phone(0), "password": PASSWORD, "captcha_token": captcha_token(front)}
    answer = curl_d(front, f"{WEIDU}/users/login", json.dumps(asked))
    assert answer.status == 200, answer.body
    cookies = answer.all("set-cookie")
    assert cookies
    assert all(re.search(r"; Secure\b", cookie) for cookie in cookies), cookies
    assert any("; HttpOnly" in cookie for cookie in cookies)
    carried = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    for _ in range(4):
        info = front.call("GET", f"{WEIDU}/users/info", headers={"Cookie": carried})
        assert info.json()["user_info"]["username"] == username(0)
    assert front.call("GET", "/auth/verify", headers={"Cookie": carried}).status == 204


def test_plain_http_is_sent_to_https(front: Front) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", front.plain_port, timeout=60)
    connection.request("GET", "/auth/verify?x=1", headers={"Host": LOGIN})
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 308
    assert re.fullmatch(rf"https://{LOGIN}(:\d+)?/auth/verify\?x=1", answer.headers["location"])


def test_both_nodes_get_calls_and_what_ends_on_one_node_is_refused_by_the_other(front: Front, site: Site) -> None:
    before = [checks(node.call("GET", "/metrics").body) for node in site.nodes[:2]]
    token = log_in(front, 1)
    # Caddy chooses at random: of 100 calls, fewer than 5 on one node is no chance that anybody meets.
    assert all(verified(front, token) for _ in range(100))
    after = [checks(node.call("GET", "/metrics").body) for node in site.nodes[:2]]
    assert all(late - early >= 5 for early, late in zip(before, after, strict=True)), (before, after)
    log_out(front, token)
    for node in site.nodes[:2]:
        wait_until(lambda node=node: not verified(node, token))  # type: ignore[misc]
    assert not any(verified(front, token) for _ in range(20))


@pytest.mark.timing
def test_what_ends_on_one_node_is_refused_by_the_other_in_time(front: Front) -> None:
    token = log_in(front, 1)
    assert all(verified(front, token) for _ in range(20))
    log_out(front, token)
    time.sleep(0.5)
    assert not any(verified(front, token) for _ in range(20))


def checks(metrics: bytes) -> float:
    """How many token checks a node has answered."""
    return sum(map(float, re.findall(rb"^menshen_token_checks_total\{[^}]*\} (\S+)$", metrics, re.MULTILINE)))


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.7"])
def test_the_address_is_the_one_the_proxy_saw_whatever_a_client_says(front: Front, source: str) -> None:
    lies = [
        ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "203.0.113.10, 203.0.113.11"),
        ("Forwarded", "for=203.0.113.12"), ("X-Real-IP", "203.0.113.13"), ("X_Forwarded_For", "203.0.113.14"),
        ("True-Client-IP", "203.0.113.15"), ("Content-Type", "application/x-www-form-urlencoded"),
    ]  # fmt: skip
    name = f"nobody-{source.replace('.', '-')}"
    form = {"method": "login.user.user", "appkey": "77777777", "username": username(2), "password": name}
    answer = front.call("POST", "/api/v1/user", urlencode({**form, "platform": "web"}), lies, source=source)
    assert answer.json()["status"] == 500
    events = json.loads(front.menshen("audit", "--account", username(2), "--json"))
    assert events[-1]["ip"] == source, events[-1]
    assert "203.0.113" not in json.dumps(events)


def test_a_client_cannot_say_that_plain_is_https_or_the_other_way(front: Front) -> None:
    asked = {"login_id": phone(0), "password": PASSWORD, "captcha_token": captcha_token(front)}
    headers = {"Content-Type": "application/json", "X-Forwarded-Proto": "http"}
    answer = front.call("POST", f"{WEIDU}/users/login", json.dumps(asked), headers)
    assert answer.status == 200
    assert all("; Secure" in cookie for cookie in answer.all("set-cookie"))


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics?x=1", "//metrics", "/%6detrics", "/metrics/", "/x/../metrics", "/./metrics", "/readyz"],
)
def test_what_is_for_inside_stays_inside(front: Front, path: str) -> None:
    answer = front.call("GET", path)
    # This machine may read metrics: that it is the proxy's own way which is closed shows in the text.
    assert answer.status in {400, 404}, answer
    assert b"menshen_" not in answer.body


def test_another_name_is_not_ours(front: Front) -> None:
    connection = front.connect(LOGIN)
    connection.putrequest("GET", "/docs", skip_host=True)
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    # Caddy has no such site and answers empty itself; nginx asks the nodes.
    assert answer.status == 421 or not body
