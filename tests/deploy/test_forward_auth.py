"""An app behind the proxies: who is let through, what the app hears of them, and what nobody can tell it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.deploy.fronts import APP, Front
from tests.deploy.shop import log_in, log_out
from tests.end_to_end.clients import verified
from tests.faults.site import PASSWORD, Site
from tests.faults.waiting import wait_until

pytestmark = pytest.mark.deploy

LIES = [
    ("X-Account-Id", "1"), ("x-account-number", "1"), ("X-Roles", "admin"), ("X-ROLES", "root"),
    ("X_Account_Id", "1"), ("X-Account_Number", "1"), ("X_Roles", "admin"), ("x_roles", "root"),
    ("X-Auth-Level", "2"), ("x_auth_level", "2"), ("X_Auth-Level", "2"),
]  # fmt: skip


@pytest.fixture
def token(front: Front) -> str:
    return log_in(front, 3)


def owner(site: Site, number: int = 3) -> dict[str, str]:
    """What the nodes say of the holder."""
    ((public, account),) = site.rows(f"SELECT public_id, number FROM accounts WHERE username = 'player{number}'")
    return {"x-account-id": public, "x-account-number": str(account), "x-roles": "general_user", "x-auth-level": "1"}


def told(answer: Any) -> dict[str, list[str]]:
    """The headers that the app saw, by the name that a CGI-like app gives them."""
    seen: dict[str, list[str]] = {}
    for name, value in answer.json()["headers"]:
        seen.setdefault(name.lower().replace("_", "-"), []).append(value)
    return seen


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"])
def test_without_a_token_nothing_reaches_the_app(front: Front, verb: str) -> None:
    for headers in ([], [("Authorization", "Bearer nonsense")], [("Cookie", "xAUTHTOKEN=nonsense")], LIES):
        answer = front.call(verb, "/orders", b"x" if verb in {"POST", "PUT"} else None, headers, host=APP)
        assert answer.status == 401, (verb, headers)
        assert not answer.all("x-seen")


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"])
def test_with_a_token_the_call_arrives_whole(front: Front, site: Site, token: str, verb: str) -> None:
    body = b"k=v&" + b"x" * 40_000 if verb in {"POST", "PUT"} else None
    answer = front.call(verb, "/orders?a=%2f", body, [("Authorization", f"Bearer {token}"), *LIES], host=APP)
    assert answer.status == 200
    assert json.loads(answer.one("x-seen")) == [verb, owner(site)["x-account-id"]]
    if verb != "HEAD":
        heard = answer.json()
        assert (heard["verb"], heard["path"]) == (verb, "/orders?a=%2f")
        assert heard["body"].encode() == (body or b"")
        seen = told(answer)
        for name, value in owner(site).items():
            assert seen[name] == [value], "the client's own are gone, in every spelling"


@pytest.mark.parametrize(
    "path", ["//orders", "/a%2fb", "/a%2F..%2fb", "/_who", "/%5fwho", "/auth/verify", "/a;b?c=d&e"]
)
def test_odd_paths_are_judged_as_any_other(front: Front, token: str, path: str) -> None:
    refused = front.call("GET", path, host=APP)
    # nginx keeps the place of its own question to itself.
    assert refused.status == 401 or (path in {"/_who", "/%5fwho"} and refused.status == 404), refused
    answer = front.call("GET", path, headers={"Authorization": f"Bearer {token}"}, host=APP)
    if answer.status != 404:
        assert answer.status == 200
        assert answer.json()["path"] == path


def test_a_cookie_is_as_good_as_a_token(front: Front, site: Site, token: str) -> None:
    answer = front.call("GET", "/", headers={"Cookie": f"theme=dark; menshenAUTHTOKEN={token}"}, host=APP)
    assert told(answer)["x-account-id"] == [owner(site)["x-account-id"]]


@pytest.mark.attack("HD-4", "CK-5")
@pytest.mark.parametrize("dialect", ["weidu", "careyshop"])
def test_the_token_header_of_a_login_is_as_good(front: Front, site: Site, token: str, dialect: str) -> None:
    """Proxies hand on the header as it came. Two tokens are none, and an empty header is absent."""
    if dialect == "weidu":
        body = json.dumps({"login_id": "player3", "password": PASSWORD})
        token = front.call("POST", "/weidu/api/v1/users/login", body).one("token")
    mine = owner(site)["x-account-id"]
    bearer, plain = ("Authorization", f"Bearer {token}"), ("Token", token)
    cookie = ("Cookie", f"theme=dark; menshenAUTHTOKEN={token}")
    for headers in ([plain], [plain, bearer], [bearer, ("Token", "")], [cookie, ("Token", ""), ("Authorization", "")]):
        answer = front.call("GET", "/", headers=headers, host=APP)
        assert answer.status == 200, headers
        assert told(answer)["x-account-id"] == [mine]
    for headers in ([("Token", "x"), bearer], [("Token", token[:-1]), cookie], [("Token", "")], [plain, plain]):
        assert front.call("GET", "/", headers=headers, host=APP).status == 401, headers


def test_of_two_cookies_of_one_name_the_good_one_counts(front: Front, site: Site, token: str) -> None:
    for line in (f"menshenAUTHTOKEN=x; menshenAUTHTOKEN={token}", f"menshenAUTHTOKEN={token}; menshenAUTHTOKEN=x"):
        answer = front.call("GET", "/", headers={"Cookie": line}, host=APP)
        assert told(answer)["x-account-id"] == [owner(site)["x-account-id"]]


def test_a_cookie_of_no_app_counts_neither_for_nor_against(front: Front, site: Site, token: str) -> None:
    other = log_in(front, 4)
    assert front.call("GET", "/", headers={"Cookie": f"shopAUTHTOKEN={other}"}, host=APP).status == 401
    cookie = f"shopAUTHTOKEN={other}; menshenAUTHTOKEN={token}; " + "; ".join(f"x{n}AUTHTOKEN=x" for n in range(9))
    answer = front.call("GET", "/", headers={"Cookie": cookie}, host=APP)
    assert told(answer)["x-account-id"] == [owner(site)["x-account-id"]]


def test_an_ended_session_is_refused_at_the_app(front: Front, site: Site, token: str) -> None:
    assert at_the_app(front, token) == 200
    log_out(front, token)
    for node in site.nodes[:2]:
        wait_until(lambda node=node: not verified(node, token))  # type: ignore[misc]
    assert {at_the_app(front, token) for _ in range(10)} == {401}


@pytest.mark.timing
def test_an_ended_session_is_refused_at_the_app_in_time(front: Front, token: str) -> None:
    assert at_the_app(front, token) == 200
    log_out(front, token)
    time.sleep(0.5)
    assert {at_the_app(front, token) for _ in range(10)} == {401}


def at_the_app(front: Front, token: str) -> int:
    """The status of a call with that token."""
    return front.call("GET", "/", headers={"Authorization": f"Bearer {token}"}, host=APP).status


def test_an_account_without_roles_cannot_bring_its_own(front: Front, site: Site) -> None:
    """Some versions of Caddy copy only what is not empty."""
    site.run("UPDATE accounts SET roles = '' WHERE username = 'player4'")
    token = log_in(front, 4)
    for _ in range(2):
        answer = front.call("GET", "/", headers=[("Authorization", f"Bearer {token}"), *LIES], host=APP)
        seen = told(answer)
        assert seen["x-account-id"] == [owner(site, 4)["x-account-id"]]
        assert seen.get("x-roles", [""]) == [""]
