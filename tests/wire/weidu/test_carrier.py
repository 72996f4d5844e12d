"""Who is calling: bearer or cookie, and what a cookie needs beside it.

(docs/contracts/weidu.md section 5.10, docs/security/attacks.md CK-3, CK-5.)
"""

from dataclasses import replace

import pytest

from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, HOUR, Instant
from menshen.core.tokens import digest
from menshen.testing.scripted_flows import APP, NOW
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.wire.weidu.carrying import (
    AUTH,
    CSRF_REFUSED,
    LOGIN,
    OK,
    UNAUTHENTICATED,
    info,
    log_out,
    logged_in,
    said,
)
from tests.wire.weidu.scripted import CSRF, TOKEN, ScriptedWeidu, account

ALL_COOKIES = f"{AUTH}; menshenUSERID=7wnaasfa47bebbtjbazajef3eh; menshenCSRF={CSRF}"
PRIVATE = [route for route in ROUTES if route.access is Access.PRIVATE]


@pytest.fixture
def script() -> ScriptedWeidu:
    return logged_in()


class TestBearer:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
    async def test_it_is_enough_for_a_write(self, script: ScriptedWeidu, scheme: str) -> None:
        header = ("authorization", f"{scheme} {TOKEN}")
        assert said(await log_out(script, header)) == OK
        # A bearer token is not sent by a browser on its own: no page's origin matters.
        assert said(await log_out(script, header, ("origin", "https://evil.example"))) == OK

    @pytest.mark.attack("CK-5", "TK-5")
    @pytest.mark.parametrize(
        "value",
        [
            TOKEN, "Basic", "Bearer x", f"Basic {TOKEN}", f"Token {TOKEN}", f"Bearer{TOKEN}", f"Bearer\t{TOKEN}",
            f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN.upper()}", f'Bearer "{TOKEN}"',
            f"Bearer {TOKEN}, Bearer {TOKEN}", f"Bearer %{TOKEN}", "Bearer \u00e9\u00ff", "Bearer " + TOKEN * 300,
        ],
    )  # fmt: skip
    async def test_a_bad_one_is_refused_even_beside_a_good_cookie(self, script: ScriptedWeidu, value: str) -> None:
        header = (b"authorization", value.encode("latin-1"))
        async with script.client() as client:
            alone = await client.get("/users/info", headers=[header])
            beside = await client.get("/users/info", headers=[header, (b"cookie", AUTH.encode())])
        assert said(alone) == said(beside) == UNAUTHENTICATED

    @pytest.mark.attack("CK-5")
    async def test_beside_a_good_bearer_the_cookie_is_ignored(self, script: ScriptedWeidu) -> None:
        other = account(public_id="b" * 26)
        script.log_in("u" * 26, other)
        response = await info(script, ("authorization", f"Bearer {TOKEN}"), ("cookie", "menshenAUTHTOKEN=" + "u" * 26))
        assert response.json()["user_info"]["id"] == account().public_id
        assert said(await log_out(script, ("authorization", f"Bearer {TOKEN}"), ("cookie", AUTH))) == OK

    async def test_two_are_none(self, script: ScriptedWeidu) -> None:
        header = ("authorization", f"Bearer {TOKEN}")
        assert said(await info(script, header, header)) == UNAUTHENTICATED

    async def test_the_token_header_of_a_login_can_be_given_back_as_it_came(self, script: ScriptedWeidu) -> None:
        """The convention of this API's ancestor (issue 3): later calls bring the `Token` header."""
        token = ("token", TOKEN)
        assert said(await info(script, token)) == OK
        assert said(await log_out(script, token, ("origin", "https://evil.example"))) == OK
        assert said(await info(script, ("token", TOKEN[:-1]), ("cookie", AUTH))) == UNAUTHENTICATED
        assert said(await info(script, token, token)) == UNAUTHENTICATED

    @pytest.mark.attack("CK-5")
    @pytest.mark.parametrize("empty", [("authorization", ""), ("authorization", "Bearer "), ("token", " ")], ids=str)
    async def test_an_empty_header_is_absent_and_changes_no_rule(
        self, script: ScriptedWeidu, empty: tuple[str, str]
    ) -> None:
        """Clients send it before they are logged in. What the cookie needs for a write, it needs beside it too."""
        assert said(await info(script, empty)) == UNAUTHENTICATED
        assert said(await info(script, empty, ("cookie", AUTH))) == OK
        assert said(await log_out(script, empty, ("cookie", AUTH))) == CSRF_REFUSED
        assert said(await info(script, empty, ("token", TOKEN))) == OK
        assert said(await info(script, ("authorization", f"Bearer {TOKEN}"), empty)) == OK

    @pytest.mark.attack("CK-5", "HD-4")
    async def test_both_headers_may_say_the_same_and_nothing_else(self, script: ScriptedWeidu) -> None:
        bearer, token = ("authorization", f"Bearer {TOKEN}"), ("token", TOKEN)
        script.log_in("u" * 26)
        assert said(await log_out(script, token, bearer)) == said(await log_out(script, bearer, token)) == OK
        for other in ("u" * 26, TOKEN[:-1], TOKEN.upper(), f"{TOKEN} {TOKEN}"):
            assert said(await info(script, bearer, ("token", other))) == UNAUTHENTICATED
            assert said(await info(script, ("token", other), bearer, ("cookie", AUTH))) == UNAUTHENTICATED
        for more in (bearer, token, ("authorization", f"Basic {TOKEN}")):
            assert said(await info(script, bearer, token, more)) == UNAUTHENTICATED

    @pytest.mark.parametrize("query", [f"?token={TOKEN}", f"?access_token={TOKEN}", f"?menshenAUTHTOKEN={TOKEN}"])
    async def test_no_token_is_read_from_the_url(self, script: ScriptedWeidu, query: str) -> None:
        async with script.client() as client:
            assert said(await client.get("/users/info" + query)) == UNAUTHENTICATED


class TestCookie:
    async def test_it_is_enough_for_a_read(self, script: ScriptedWeidu) -> None:
        assert said(await info(script, ("cookie", AUTH))) == OK
        assert said(await info(script, ("cookie", ALL_COOKIES), ("origin", "https://evil.example"))) == OK

    @pytest.mark.attack("CK-9")
    @pytest.mark.parametrize(
        "cookie",
        [
            f"AUTHTOKEN={TOKEN}",
            f"WOLVESAUTHTOKEN={TOKEN}",
            f"menshenauthtoken={TOKEN}",
            f"__Host-menshenAUTHTOKEN={TOKEN}",
            f"menshenCSRF={TOKEN}",
            "menshenAUTHTOKEN=",
            "menshenAUTHTOKEN=; menshenAUTHTOKEN=other",
            f"menshenAUTHTOKEN={TOKEN[:-1]}",
            f"=menshenAUTHTOKEN={TOKEN}",
            "menshenAUTHTOKEN=" + "x" * 8000,
            "; ".join(f"c{i}=x" for i in range(200)),
        ],
    )
    async def test_nothing_like_it_is(self, script: ScriptedWeidu, cookie: str) -> None:
        assert said(await info(script, ("cookie", cookie))) == UNAUTHENTICATED

    @pytest.mark.attack("CK-9")
    @pytest.mark.parametrize("other", ["=", "=other", f"={TOKEN}", f"={TOKEN[:-1]}", "=a; menshenAUTHTOKEN=b"])
    async def test_of_several_the_good_one_counts(self, script: ScriptedWeidu, other: str) -> None:
        """A change of the cookie domain leaves two in the browser, and a sibling host can add some."""
        junk = f"menshenAUTHTOKEN{other}"
        for lines in ([f"{AUTH}; {junk}"], [f"{junk}; {AUTH}"], [AUTH, junk], [junk, AUTH]):
            cookies = [("cookie", line) for line in lines]
            assert said(await info(script, *cookies)) == OK
            assert said(await log_out(script, *cookies)) == CSRF_REFUSED
            assert said(await log_out(script, *cookies, ("x-csrf-token", CSRF))) == OK

    @pytest.mark.attack("CK-9")
    async def test_two_accounts_are_none(self, script: ScriptedWeidu) -> None:
        """Else a sibling host that adds its own cookie would choose who writes and who reads."""
        script.log_in("u" * 26, account(number=1, public_id="b" * 26))
        both = f"{AUTH}; menshenAUTHTOKEN={'u' * 26}"
        for line in (both, "; ".join(reversed(both.split("; ")))):
            assert said(await info(script, ("cookie", line))) == UNAUTHENTICATED
            assert said(await log_out(script, ("cookie", line), ("x-csrf-token", CSRF))) == UNAUTHENTICATED

    @pytest.mark.attack("CK-9")
    async def test_of_two_sessions_the_csrf_value_says_which_one_writes(self, script: ScriptedWeidu) -> None:
        script.log_in("u" * 26, session_id="z" * 26)
        for line in (f"menshenAUTHTOKEN={'u' * 26}; {AUTH}", f"{AUTH}; menshenAUTHTOKEN={'u' * 26}"):
            assert said(await log_out(script, ("cookie", line), ("x-csrf-token", CSRF))) == OK
            (caller, _origin) = script.asks("sessions.log_out")[-1]
            assert caller.session.session_id == "s" * 26

    @pytest.mark.attack("CK-9")
    async def test_no_more_than_four_are_looked_at(self, script: ScriptedWeidu) -> None:
        """Each one that is looked at costs a look-up."""
        junk = [f"menshenAUTHTOKEN=x{n}" for n in range(4)]
        assert said(await info(script, ("cookie", "; ".join([*junk[:3], AUTH])))) == OK
        assert said(await info(script, ("cookie", "; ".join([*junk, AUTH])))) == UNAUTHENTICATED
        assert said(await info(script, ("cookie", "; ".join([AUTH] * 9)))) == OK

    async def test_its_name_is_the_apps_of_the_host(self, script: ScriptedWeidu) -> None:
        script.app = replace(APP, cookie_prefix="WOLVES")
        assert said(await info(script, ("cookie", f"WOLVESAUTHTOKEN={TOKEN}"))) == OK
        assert said(await info(script, ("cookie", AUTH))) == UNAUTHENTICATED

    @pytest.mark.attack("CK-9")
    async def test_a_host_only_app_takes_no_other_form(self, script: ScriptedWeidu) -> None:
        script.app = replace(APP, host_only_cookies=True)
        assert said(await info(script, ("cookie", f"__Host-{AUTH}"))) == OK
        for tossed in (AUTH, f"__host-{AUTH}", f"__HOST-{AUTH}"):
            assert said(await info(script, ("cookie", tossed))) == UNAUTHENTICATED
        for twice in (f"__Host-{AUTH}; __Host-{AUTH}", f"__Host-{AUTH}; __Host-menshenAUTHTOKEN="):
            assert said(await info(script, ("cookie", twice))) == UNAUTHENTICATED, "no browser has two of them"


class TestCsrf:
    @pytest.mark.attack("CK-3")
    @pytest.mark.parametrize("route", PRIVATE, ids=lambda route: f"{route.verb} {route.path}")
    async def test_every_write_by_cookie_needs_it_and_no_read_does(self, script: ScriptedWeidu, route: object) -> None:
        verb, path = route.verb, route.path.replace("{id}", "x" * 26)  # type: ignore[attr-defined]
        async with script.client() as client:
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
    async def test_only_the_sessions_own_value_will_do(self, script: ScriptedWeidu, value: str) -> None:
        async with script.client() as client:
            response = await client.post(
                "/users/logout",
                headers=[
                    (b"cookie", f"{AUTH}; menshenCSRF={value}".encode()),
                    (b"x-csrf-token", value.encode("latin-1")),
                ],
            )
        assert said(response) == CSRF_REFUSED
        assert script.asked == []

    async def test_the_cookie_alone_will_not_do(self, script: ScriptedWeidu) -> None:
        assert said(await log_out(script, ("cookie", ALL_COOKIES))) == CSRF_REFUSED

    @pytest.mark.attack("CK-3")
    async def test_two_headers_will_not_do(self, script: ScriptedWeidu) -> None:
        header = ("x-csrf-token", CSRF)
        assert said(await log_out(script, ("cookie", AUTH), header, header)) == CSRF_REFUSED

    @pytest.mark.attack("CK-3")
    async def test_another_sessions_value_will_not_do(self, script: ScriptedWeidu) -> None:
        script.log_in(session_id="z" * 26)
        assert said(await log_out(script, ("cookie", AUTH), ("x-csrf-token", CSRF))) == CSRF_REFUSED

    async def test_a_lapsed_cookie_is_told_before_its_missing_value(self, script: ScriptedWeidu) -> None:
        script.live.clear()
        assert said(await log_out(script, ("cookie", AUTH))) == UNAUTHENTICATED

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
            ("text/plain, application/json", CSRF_REFUSED),
        ],
    )
    async def test_a_write_by_cookie_comes_as_json_or_as_curl_sends_it(
        self, script: ScriptedWeidu, kind: str, answer: tuple[int, str]
    ) -> None:
        headers = [("cookie", AUTH), ("x-csrf-token", CSRF)] + ([("content-type", kind)] if kind else [])
        assert said(await log_out(script, *headers, body=b"{}")) == answer


class TestLeavingAndComing:
    async def test_a_logout_has_browsers_forget(self, script: ScriptedWeidu) -> None:
        response = await log_out(script, ("cookie", AUTH), ("x-csrf-token", CSRF))
        end = "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        assert response.headers.get_list("set-cookie") == [
            f"menshenAUTHTOKEN=; {end}; HttpOnly; SameSite=Lax",
            f"menshenUSERID=; {end}; SameSite=Lax",
            f"menshenCSRF=; {end}; SameSite=Lax",
        ]
        assert "token" not in response.headers

    @pytest.mark.attack("TK-1")
    async def test_a_login_ends_the_session_whose_cookie_it_replaces(self, script: ScriptedWeidu) -> None:
        async with script.client() as client:
            assert said(await client.post("/users/login", content=LOGIN, headers={"cookie": AUTH})) == OK
            assert said(await client.post("/users/login", content=LOGIN, headers={"cookie": f"{AUTH}x"})) == OK
            bearer = {"authorization": f"Bearer {TOKEN}"}
            assert said(await client.post("/users/login", content=LOGIN, headers=bearer)) == OK
        brought = [(origin.presented, origin.cookie) for _, origin in script.asks("login.password")]
        good, spoilt = digest(TOKEN), digest(f"{TOKEN}x")
        assert brought == [(good, good), (spoilt, spoilt), (good, b"")]

    async def test_a_login_that_fails_ends_nothing(self, script: ScriptedWeidu) -> None:
        script.answers["login.password"] = Denied(ProblemCode.WRONG_CREDENTIALS)
        async with script.client() as client:
            response = await client.post("/users/login", content=LOGIN, headers={"cookie": AUTH})
        assert said(response) == (401, "wrong_credentials")
        assert response.headers.get_list("set-cookie") == []

    async def test_when_the_database_is_away_nobody_is_logged_out_by_that(self, script: ScriptedWeidu) -> None:
        """503, not 401: a client that is told 401 throws its token away."""
        script.answers["sessions.authenticate"] = Problem(ProblemCode.UNAVAILABLE, "gone", 1)
        response = await info(script, ("cookie", AUTH))
        assert said(response) == (503, "unavailable")
        assert response.headers.get_list("set-cookie") == []


class TestSlidingCookies:
    """A session slides with use; its cookies follow, once a day, on a read."""

    async def read(self, script: ScriptedWeidu, cookie: str = ALL_COOKIES, **headers: str) -> list[str]:
        response = await info(script, ("cookie", cookie), *headers.items())
        assert response.status_code == 200
        return response.headers.get_list("set-cookie")

    async def test_on_the_first_day_they_stay_as_they_are(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + DAY - 1)
        assert await self.read(script) == []

    async def test_the_first_read_of_a_later_day_prolongs_them(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + 3 * DAY)
        end = "Path=/; Expires=Fri, 06 Nov 2020 09:19:55 GMT"
        assert await self.read(script) == [
            f"menshenAUTHTOKEN={TOKEN}; {end}; HttpOnly; SameSite=Lax",
            f"menshenUSERID=7wnaasfa47bebbtjbazajef3eh; {end}; SameSite=Lax",
            f"menshenCSRF={CSRF}; {end}; SameSite=Lax",
        ]

    async def test_the_second_does_not(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + 3 * DAY + 2 * HOUR)
        script.log_in(seen_at=Instant(NOW + 3 * DAY + HOUR))
        assert await self.read(script) == []

    async def test_never_past_the_end_of_the_session(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + 170 * DAY)
        script.log_in(seen_at=Instant(NOW + 160 * DAY))
        (auth, _, _) = await self.read(script)
        assert "Expires=Fri, 02 Apr 2021 09:19:55 GMT" in auth

    async def test_a_session_that_does_not_slide_keeps_its_cookies(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + 3 * DAY)
        script.log_in(sliding_ms=0)
        assert await self.read(script) == []

    @pytest.mark.parametrize("cookie", [AUTH, f"{AUTH}; menshenCSRF=forged"])
    async def test_without_the_right_csrf_cookie_nothing_is_written(self, script: ScriptedWeidu, cookie: str) -> None:
        script.now = Instant(NOW + 3 * DAY)
        assert await self.read(script, cookie) == []

    async def test_a_bearer_gets_no_cookies(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + 3 * DAY)
        assert await self.read(script, authorization=f"Bearer {TOKEN}") == []

    async def test_a_write_prolongs_nothing(self, script: ScriptedWeidu) -> None:
        script.now = Instant(NOW + 3 * DAY)
        async with script.client() as client:
            headers = {"cookie": ALL_COOKIES, "x-csrf-token": CSRF}
            response = await client.delete("/users/sessions", headers=headers)
        assert said(response) == OK
        assert response.headers.get_list("set-cookie") == []
