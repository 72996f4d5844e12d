"""Who is calling: bearer or cookie, and what a cookie needs beside it.

(docs/contracts/weidu.md section 5.10, docs/security/attacks.md CK-3, CK-5.)
"""

from dataclasses import replace

import httpx
import pytest

from menshen.core.account.asks import Edited
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, HOUR, Instant
from menshen.core.tokens import digest
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.wire.weidu.paper import APP, CSRF, NOW, TOKEN, Paper, account, granted

AUTH = f"weichuangAUTHTOKEN={TOKEN}"
ALL_COOKIES = f"{AUTH}; weichuangUSERID=7wnaasfa47bebbtjbazajef3eh; weichuangCSRF={CSRF}"
OWN = "http://127.0.0.1:8400"
PRIVATE = [route for route in ROUTES if route.access is Access.PRIVATE]
LOGIN = b'{"login_id":"ken","password":"Zk12345678"}'


@pytest.fixture
def paper() -> Paper:
    paper = Paper(
        answers={
            "sessions.log_out": Done(),
            "sessions.end": Done(),
            "sessions.end_others": Done(),
            "sessions.list": [],
            "account.change_password": Done(),
            "account.edit_profile": Edited(account()),
            "account.bind": Edited(account()),
            "login.password": granted(),
        }
    )
    paper.log_in()
    return paper


async def info(paper: Paper, *headers: tuple[str, str]) -> httpx.Response:
    async with paper.client() as client:
        return await client.get("/users/info", headers=list(headers))


async def log_out(paper: Paper, *headers: tuple[str, str], body: bytes | None = None) -> httpx.Response:
    async with paper.client() as client:
        return await client.post("/users/logout", headers=list(headers), content=body)


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("error", "ok")


OK, UNAUTHENTICATED, CSRF_REFUSED = (200, "ok"), (401, "unauthenticated"), (403, "csrf")


class TestBearer:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
    async def test_it_is_enough_for_a_write(self, paper: Paper, scheme: str) -> None:
        header = ("authorization", f"{scheme} {TOKEN}")
        assert said(await log_out(paper, header)) == OK
        # A bearer token is not sent by a browser on its own: no page's origin matters.
        assert said(await log_out(paper, header, ("origin", "https://evil.example"))) == OK

    @pytest.mark.attack("CK-5", "TK-5")
    @pytest.mark.parametrize(
        "value",
        [
            "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Token {TOKEN}", f"Bearer{TOKEN}", f"Bearer\t{TOKEN}",
            f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN.upper()}", f'Bearer "{TOKEN}"',
            f"Bearer {TOKEN}, Bearer {TOKEN}", f"Bearer %{TOKEN}", "Bearer \u00e9\u00ff", "Bearer " + TOKEN * 300,
        ],
    )  # fmt: skip
    async def test_a_bad_one_is_refused_even_beside_a_good_cookie(self, paper: Paper, value: str) -> None:
        header = (b"authorization", value.encode("latin-1"))
        async with paper.client() as client:
            alone = await client.get("/users/info", headers=[header])
            beside = await client.get("/users/info", headers=[header, (b"cookie", AUTH.encode())])
        assert said(alone) == said(beside) == UNAUTHENTICATED

    @pytest.mark.attack("CK-5")
    async def test_beside_a_good_bearer_the_cookie_is_ignored(self, paper: Paper) -> None:
        other = account(public_id="b" * 26)
        paper.log_in("u" * 26, other)
        response = await info(paper, ("authorization", f"Bearer {TOKEN}"), ("cookie", "weichuangAUTHTOKEN=" + "u" * 26))
        assert response.json()["user_info"]["id"] == account().public_id
        assert said(await log_out(paper, ("authorization", f"Bearer {TOKEN}"), ("cookie", AUTH))) == OK

    async def test_two_are_none(self, paper: Paper) -> None:
        header = ("authorization", f"Bearer {TOKEN}")
        assert said(await info(paper, header, header)) == UNAUTHENTICATED

    async def test_the_token_header_of_a_login_can_be_given_back_as_it_came(self, paper: Paper) -> None:
        """The convention of this API's ancestor (issue 3): later calls bring the `Token` header."""
        token = ("token", TOKEN)
        assert said(await info(paper, token)) == OK
        assert said(await log_out(paper, token, ("origin", "https://evil.example"))) == OK
        assert said(await info(paper, ("token", TOKEN[:-1]), ("cookie", AUTH))) == UNAUTHENTICATED
        assert said(await info(paper, ("token", ""), ("cookie", AUTH))) == UNAUTHENTICATED
        assert said(await info(paper, token, token)) == UNAUTHENTICATED
        assert said(await info(paper, token, ("authorization", f"Bearer {TOKEN}"))) == UNAUTHENTICATED

    @pytest.mark.parametrize("query", [f"?token={TOKEN}", f"?access_token={TOKEN}", f"?weichuangAUTHTOKEN={TOKEN}"])
    async def test_no_token_is_read_from_the_url(self, paper: Paper, query: str) -> None:
        async with paper.client() as client:
            assert said(await client.get("/users/info" + query)) == UNAUTHENTICATED


class TestCookie:
    async def test_it_is_enough_for_a_read(self, paper: Paper) -> None:
        assert said(await info(paper, ("cookie", AUTH))) == OK
        assert said(await info(paper, ("cookie", ALL_COOKIES), ("origin", "https://evil.example"))) == OK

    @pytest.mark.attack("CK-9")
    @pytest.mark.parametrize(
        "cookie",
        [
            f"AUTHTOKEN={TOKEN}",
            f"WOLVESAUTHTOKEN={TOKEN}",
            f"weichuangauthtoken={TOKEN}",
            f"__Host-weichuangAUTHTOKEN={TOKEN}",
            f"weichuangCSRF={TOKEN}",
            "weichuangAUTHTOKEN=",
            f"{AUTH}; {AUTH}",
            f"{AUTH}; weichuangAUTHTOKEN=other",
            f"weichuangAUTHTOKEN={TOKEN[:-1]}",
            f"=weichuangAUTHTOKEN={TOKEN}",
            "weichuangAUTHTOKEN=" + "x" * 8000,
            "; ".join(f"c{i}=x" for i in range(200)),
        ],
    )
    async def test_nothing_like_it_is(self, paper: Paper, cookie: str) -> None:
        assert said(await info(paper, ("cookie", cookie))) == UNAUTHENTICATED

    @pytest.mark.attack("CK-9")
    async def test_two_in_two_headers_are_none(self, paper: Paper) -> None:
        assert said(await info(paper, ("cookie", AUTH), ("cookie", AUTH))) == UNAUTHENTICATED

    async def test_its_name_is_the_apps_of_the_host(self, paper: Paper) -> None:
        paper.app = replace(APP, cookie_prefix="WOLVES")
        assert said(await info(paper, ("cookie", f"WOLVESAUTHTOKEN={TOKEN}"))) == OK
        assert said(await info(paper, ("cookie", AUTH))) == UNAUTHENTICATED

    @pytest.mark.attack("CK-9")
    async def test_a_host_only_app_takes_no_other_form(self, paper: Paper) -> None:
        paper.app = replace(APP, host_only_cookies=True)
        assert said(await info(paper, ("cookie", f"__Host-{AUTH}"))) == OK
        for tossed in (AUTH, f"__host-{AUTH}", f"__HOST-{AUTH}"):
            assert said(await info(paper, ("cookie", tossed))) == UNAUTHENTICATED


class TestCsrf:
    @pytest.mark.attack("CK-3")
    @pytest.mark.parametrize("route", PRIVATE, ids=lambda route: f"{route.verb} {route.path}")
    async def test_every_write_by_cookie_needs_it_and_no_read_does(self, paper: Paper, route: object) -> None:
        verb, path = route.verb, route.path.replace("{id}", "x" * 26)  # type: ignore[attr-defined]
        async with paper.client() as client:
            bare = await client.request(verb, path, headers={"cookie": AUTH}, content=b"{}")
            full = await client.request(
                verb, path, headers={"cookie": AUTH, "x-csrf-token": CSRF}, content=b'{"mobile":1}'
            )
        assert said(bare) == (OK if verb == "GET" else CSRF_REFUSED)
        assert said(full) != CSRF_REFUSED
        assert said(full) != UNAUTHENTICATED

    @pytest.mark.attack("CK-3")
    @pytest.mark.parametrize(
        "value", ["", "null", "undefined", CSRF[:-1], CSRF + "x", CSRF.upper(), f"{CSRF},{CSRF}", TOKEN, "s" * 26, "é"]
    )
    async def test_only_the_sessions_own_value_will_do(self, paper: Paper, value: str) -> None:
        async with paper.client() as client:
            response = await client.post(
                "/users/logout",
                headers=[
                    (b"cookie", f"{AUTH}; weichuangCSRF={value}".encode()),
                    (b"x-csrf-token", value.encode("latin-1")),
                ],
            )
        assert said(response) == CSRF_REFUSED
        assert paper.asked == []

    async def test_the_cookie_alone_will_not_do(self, paper: Paper) -> None:
        assert said(await log_out(paper, ("cookie", ALL_COOKIES))) == CSRF_REFUSED

    @pytest.mark.attack("CK-3")
    async def test_two_headers_will_not_do(self, paper: Paper) -> None:
        header = ("x-csrf-token", CSRF)
        assert said(await log_out(paper, ("cookie", AUTH), header, header)) == CSRF_REFUSED

    @pytest.mark.attack("CK-3")
    async def test_another_sessions_value_will_not_do(self, paper: Paper) -> None:
        paper.log_in(session_id="z" * 26)
        assert said(await log_out(paper, ("cookie", AUTH), ("x-csrf-token", CSRF))) == CSRF_REFUSED

    async def test_a_lapsed_cookie_is_told_before_its_missing_value(self, paper: Paper) -> None:
        paper.tokens.clear()
        assert said(await log_out(paper, ("cookie", AUTH))) == UNAUTHENTICATED

    @pytest.mark.attack("CK-1")
    @pytest.mark.parametrize(
        ("kind", "answer"),
        [
            ("", OK),
            ("application/json", OK),
            ("application/json; charset=utf-8", OK),
            ("Application/JSON", OK),
            ("application/x-www-form-urlencoded", OK),
            ("text/plain", CSRF_REFUSED),
            ("multipart/form-data; boundary=x", CSRF_REFUSED),
            ("text/html", CSRF_REFUSED),
        ],
    )
    async def test_a_write_by_cookie_comes_as_json_or_as_curl_sends_it(
        self, paper: Paper, kind: str, answer: tuple[int, str]
    ) -> None:
        headers = [("cookie", AUTH), ("x-csrf-token", CSRF)] + ([("content-type", kind)] if kind else [])
        assert said(await log_out(paper, *headers, body=b"{}")) == answer


FOREIGN = [
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://127.0.0.1:8400"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:8401"},
    {"origin": "http://127.0.0.1:8400.evil.example"},
    {"origin": "http://evil.example"},
    {"origin": "http://x@127.0.0.1:8400"},
    {"origin": "http://127.0.0.1:8400/"},
    {"origin": "http://localhost:8400"},
    {"origin": "http://127.0.0.1:8400 http://evil.example"},
    {"origin": "file://"},
    {"origin": "chrome-extension://x"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "SAME-ORIGIN"},
    {"sec-fetch-site": "cross-site", "origin": OWN},
]
OWN_PAGES = [
    {},
    {"origin": OWN},
    {"origin": OWN.upper()},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin", "origin": "https://127.0.0.1:8400"},
]


class TestOrigin:
    @pytest.mark.attack("CK-2", "CK-4")
    @pytest.mark.parametrize("headers", FOREIGN, ids=str)
    async def test_a_foreign_page_writes_nothing_and_logs_nobody_in(
        self, paper: Paper, headers: dict[str, str]
    ) -> None:
        write = await log_out(paper, ("cookie", AUTH), ("x-csrf-token", CSRF), *headers.items())
        async with paper.client() as client:
            login = await client.post("/users/login", content=LOGIN, headers=headers)
        assert said(write) == said(login) == CSRF_REFUSED
        assert paper.asked == []

    @pytest.mark.parametrize("headers", OWN_PAGES, ids=str)
    async def test_pages_of_ours_do(self, paper: Paper, headers: dict[str, str]) -> None:
        write = await log_out(paper, ("cookie", AUTH), ("x-csrf-token", CSRF), *headers.items())
        async with paper.client() as client:
            login = await client.post("/users/login", content=LOGIN, headers=headers)
        assert said(write) == said(login) == OK

    @pytest.mark.attack("CK-4")
    async def test_two_origins_are_foreign(self, paper: Paper) -> None:
        twice = [("origin", OWN), ("origin", OWN)]
        assert said(await log_out(paper, ("cookie", AUTH), ("x-csrf-token", CSRF), *twice)) == CSRF_REFUSED

    @pytest.mark.attack("CK-4")
    async def test_two_sites_are_foreign(self, paper: Paper) -> None:
        twice = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
        assert said(await log_out(paper, ("cookie", AUTH), ("x-csrf-token", CSRF), *twice)) == CSRF_REFUSED

    async def test_every_call_that_sets_cookies_asks(self, paper: Paper) -> None:
        paths = [route.path for route in ROUTES if route.access is Access.LOGIN]
        assert paths == ["/users/login", "/users/mobile/login", "/users/email/login", "/users/mobile/signup"]
        async with paper.client() as client:
            for path in paths:
                response = await client.post(path, content=b"{}", headers={"sec-fetch-site": "cross-site"})
                assert said(response) == CSRF_REFUSED

    async def test_behind_https_the_origin_is_https(self, paper: Paper) -> None:
        async with paper.client("https://login.example") as client:
            own = await client.post("/users/login", content=LOGIN, headers={"origin": "https://login.example"})
            plain = await client.post("/users/login", content=LOGIN, headers={"origin": "http://login.example"})
        assert (said(own), said(plain)) == (OK, CSRF_REFUSED)


class TestLeavingAndComing:
    async def test_a_logout_has_browsers_forget(self, paper: Paper) -> None:
        response = await log_out(paper, ("cookie", AUTH), ("x-csrf-token", CSRF))
        end = "Path=/; Domain=127.0.0.1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        assert response.headers.get_list("set-cookie") == [
            f"weichuangAUTHTOKEN=; {end}; HttpOnly; SameSite=Lax",
            f"weichuangUSERID=; {end}; SameSite=Lax",
            f"weichuangCSRF=; {end}; SameSite=Lax",
        ]
        assert "token" not in response.headers

    @pytest.mark.attack("TK-1")
    async def test_a_login_ends_the_session_whose_cookie_it_replaces(self, paper: Paper) -> None:
        async with paper.client() as client:
            assert said(await client.post("/users/login", content=LOGIN, headers={"cookie": AUTH})) == OK
            assert said(await client.post("/users/login", content=LOGIN, headers={"cookie": f"{AUTH}x"})) == OK
            bearer = {"authorization": f"Bearer {TOKEN}"}
            assert said(await client.post("/users/login", content=LOGIN, headers=bearer)) == OK
        brought = [(origin.presented, origin.cookie) for _, origin in paper.asks("login.password")]
        good, spoilt = digest(TOKEN), digest(f"{TOKEN}x")
        assert brought == [(good, good), (spoilt, spoilt), (good, b"")]

    async def test_a_login_that_fails_ends_nothing(self, paper: Paper) -> None:
        paper.answers["login.password"] = Denied(ProblemCode.WRONG_CREDENTIALS)
        async with paper.client() as client:
            response = await client.post("/users/login", content=LOGIN, headers={"cookie": AUTH})
        assert said(response) == (401, "wrong_credentials")
        assert response.headers.get_list("set-cookie") == []

    async def test_when_the_database_is_away_nobody_is_logged_out_by_that(self, paper: Paper) -> None:
        """503, not 401: a client that is told 401 throws its token away."""

        async def away(token: str) -> Denied:
            raise Problem(ProblemCode.UNAVAILABLE, "gone", 1)

        paper._authenticate = away  # type: ignore[method-assign]
        response = await info(paper, ("cookie", AUTH))
        assert said(response) == (503, "unavailable")
        assert response.headers.get_list("set-cookie") == []


class TestSlidingCookies:
    """A session slides with use; its cookies follow, once a day, on a read."""

    async def read(self, paper: Paper, cookie: str = ALL_COOKIES, **headers: str) -> list[str]:
        response = await info(paper, ("cookie", cookie), *headers.items())
        assert response.status_code == 200
        return response.headers.get_list("set-cookie")

    async def test_on_the_first_day_they_stay_as_they_are(self, paper: Paper) -> None:
        paper.now = Instant(NOW + DAY - 1)
        assert await self.read(paper) == []

    async def test_the_first_read_of_a_later_day_prolongs_them(self, paper: Paper) -> None:
        paper.now = Instant(NOW + 3 * DAY)
        end = "Path=/; Domain=127.0.0.1; Expires=Fri, 06 Nov 2020 09:19:55 GMT"
        assert await self.read(paper) == [
            f"weichuangAUTHTOKEN={TOKEN}; {end}; HttpOnly; SameSite=Lax",
            f"weichuangUSERID=7wnaasfa47bebbtjbazajef3eh; {end}; SameSite=Lax",
            f"weichuangCSRF={CSRF}; {end}; SameSite=Lax",
        ]

    async def test_the_second_does_not(self, paper: Paper) -> None:
        paper.now = Instant(NOW + 3 * DAY + 2 * HOUR)
        paper.log_in(seen_at=Instant(NOW + 3 * DAY + HOUR))
        assert await self.read(paper) == []

    async def test_never_past_the_end_of_the_session(self, paper: Paper) -> None:
        paper.now = Instant(NOW + 170 * DAY)
        paper.log_in(seen_at=Instant(NOW + 160 * DAY))
        (auth, _, _) = await self.read(paper)
        assert "Expires=Fri, 02 Apr 2021 09:19:55 GMT" in auth

    async def test_a_session_that_does_not_slide_keeps_its_cookies(self, paper: Paper) -> None:
        paper.now = Instant(NOW + 3 * DAY)
        paper.log_in(sliding_ms=0)
        assert await self.read(paper) == []

    @pytest.mark.parametrize("cookie", [AUTH, f"{AUTH}; weichuangCSRF=forged"])
    async def test_without_the_right_csrf_cookie_nothing_is_written(self, paper: Paper, cookie: str) -> None:
        paper.now = Instant(NOW + 3 * DAY)
        assert await self.read(paper, cookie) == []

    async def test_a_bearer_gets_no_cookies(self, paper: Paper) -> None:
        paper.now = Instant(NOW + 3 * DAY)
        assert await self.read(paper, authorization=f"Bearer {TOKEN}") == []

    async def test_a_write_prolongs_nothing(self, paper: Paper) -> None:
        paper.now = Instant(NOW + 3 * DAY)
        async with paper.client() as client:
            headers = {"cookie": ALL_COOKIES, "x-csrf-token": CSRF}
            response = await client.delete("/users/sessions", headers=headers)
        assert said(response) == OK
        assert response.headers.get_list("set-cookie") == []
