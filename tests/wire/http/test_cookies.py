"""What a cookie says, and how one is written."""

from __future__ import annotations

import pytest

from menshen.wire.http.cookies import CookieJarRules, http_date, other_domains, own_domain, read_cookies, set_cookie


def test_a_cookie_is_written_as_the_seed_shows_it() -> None:
    rules = CookieJarRules(domain="0.0.0.0", secure=False)
    expires = 1_601_803_195_000
    assert set_cookie("weichuangAUTHTOKEN", "3r6ebp6gabf6unbee35eu8u6bo", expires, rules, http_only=True) == (
        "weichuangAUTHTOKEN=3r6ebp6gabf6unbee35eu8u6bo; Path=/; Domain=0.0.0.0; "
        "Expires=Sun, 04 Oct 2020 09:19:55 GMT; HttpOnly; SameSite=Lax"
    )


@pytest.mark.attack("IN-5")
@pytest.mark.parametrize(
    ("rules", "written"),
    [
        (CookieJarRules("", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a.example", secure=True), "n=v; Path=/; Domain=a.example; Expires=E; Secure; SameSite=Lax"),
        (
            CookieJarRules("a.example", secure=False, host_prefix=True),
            "__Host-n=v; Path=/; Expires=E; Secure; SameSite=Lax",
        ),
        (CookieJarRules("a;b", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a\r\nSet-Cookie: x", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a.example\n", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a" * 254, secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
    ],
)
def test_domain_and_prefix_are_the_apps(rules: CookieJarRules, written: str) -> None:
    expires = http_date(0)
    assert set_cookie("n", "v", 0, rules, http_only=False) == written.replace("E;", f"{expires};")


@pytest.mark.parametrize(
    ("at", "date"),
    [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (999, "Thu, 01 Jan 1970 00:00:00 GMT"),
     (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_102_444_799_999, "Thu, 31 Dec 2099 23:59:59 GMT")],
)  # fmt: skip
def test_dates_are_imf_fixdates(at: int, date: str) -> None:
    assert http_date(at) == date


@pytest.mark.attack("CK-9")
@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["T=x"], "x"), (["a=1; T=x; b=2"], "x"), (["a=1;T=x"], "x"), (['T="x"'], "x"), (["T=x=y"], "x=y"),
        (["a=1", "T=x"], "x"), (["T=x", "T=x"], "x"), (["T="], None), (["T"], None), ([], None), (["T=; T=x"], "x"),
        (["t=x"], None), (["__Host-T=x"], None), (["=T=x"], None), (["=x; a=1"], None), (["T =x"], None),
        (["a=1; " * 200 + "T=x"], "x"), (["TT=x; xT=y"], None), (['T="x'], '"x'), (['T=x"'], 'x"'),
        (['T=""x""'], '"x"'), (['T=""'], None), (['T="'], '"'), (["T=x \t"], "x"), (["T=x ; a=1"], "x"),
    ],
)  # fmt: skip
def test_a_cookie_is_read_by_its_exact_name(lines: list[str], value: str | None) -> None:
    assert read_cookies(lines, "T") == (() if value is None else (value,))


@pytest.mark.attack("CK-9")
def test_four_of_one_name_are_read_and_of_a_host_cookie_one() -> None:
    assert read_cookies(["T=x; T=y; T=x", "T=z"], "T") == ("x", "y", "z")
    assert read_cookies(["; ".join(f"T={n}" for n in range(4))], "T") == ("0", "1", "2", "3")
    assert read_cookies(["; ".join(f"T={n}" for n in range(5))], "T") == ()
    assert read_cookies(["__Host-T=x"], "__Host-T") == ("x",)
    assert read_cookies(["__Host-T=x; __Host-T="], "__Host-T") == ()


@pytest.mark.parametrize(
    ("host", "domain", "others"),
    [
        ("login.example.com", "login.example.com", ("", "example.com")),
        ("login.example.com", "example.com", ("", "login.example.com")),
        ("login.example.com", ".Example.com", ("", "login.example.com")),
        ("example.com", "example.com", ("",)),
        ("a.login.example.com", "example.com", ("", "a.login.example.com", "login.example.com")),
        # A registry's name is no place of a cookie, and some clients fail at it.
        ("login.example.com.cn", "login.example.com.cn", ("", "example.com.cn")),
        ("example.co.uk", "example.co.uk", ("",)),
        # What a proxy calls the server is no name that the browser knows.
        ("menshen", "example.com", ("",)),
        ("127.0.0.1", "", ()),
        ("localhost", "", ()),
        ("::1", "", ()),
        ("app.localhost", "app.localhost", ("",)),
        ("a.b.c.d.e.f.g.hi", "a.b.c.d.e.f.g.hi", ("", "d.e.f.g.hi", "e.f.g.hi", "f.g.hi")),
    ],
)  # fmt: skip
def test_where_else_a_browser_may_keep_cookies(host: str, domain: str, others: tuple[str, ...]) -> None:
    assert other_domains(host, domain) == others


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "menshen", "", "login.example.com.", "fe80::1"])
def test_where_there_are_no_sub_domains_there_is_no_domain(host: str) -> None:
    assert own_domain(host) == ""
