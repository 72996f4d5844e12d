"""What a cookie says, and how one is written."""

from __future__ import annotations

import pytest

from menshen.wire.http.cookies import CookieJarRules, http_date, read_cookie, set_cookie


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
        (["a=1", "T=x"], "x"), (["T=x; T=y"], None), (["T=x", "T=x"], None), (["T="], None), (["T"], None), ([], None),
        (["t=x"], None), (["__Host-T=x"], None), (["=T=x"], None), (["=x; a=1"], None), (["T =x"], None),
        (["a=1; " * 200 + "T=x"], "x"), (["TT=x; xT=y"], None),
    ],
)  # fmt: skip
def test_a_cookie_is_read_by_its_exact_name_and_only_when_it_is_alone(lines: list[str], value: str | None) -> None:
    assert read_cookie(lines, "T") == value
