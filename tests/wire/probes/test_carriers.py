"""Check whose token `/auth/verify` finds in a request. (docs/contracts/core.md section 3.4, decision 0048.)"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from menshen.flows.apps.manage import change_app
from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD, Client

OWN, HOST = "menshenAUTHTOKEN", "__Host-strictAUTHTOKEN"
OTHER = "WOLVESAUTHTOKEN"
JUNK = "y" * 26
MANY = 30


@dataclass
class Site:
    """Three apps: `default` and `wolves` with plain cookies, `strict` with `__Host-` ones; and two people."""

    harness: Harness
    mine: str
    theirs: str
    """Tokens of two accounts."""
    numbers: dict[str, str]

    async def ask(self, *headers: tuple[str, str]) -> str:
        """Whose request it is: "mine", "theirs", or the status of the refusal."""
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        answer = await self.harness.client.get("/auth/verify", headers=raw)
        if answer.status_code != 204:
            return str(answer.status_code)
        return self.numbers[answer.headers["x-account-number"]]

    async def cookies(self, *pairs: tuple[str, str]) -> str:
        return await self.ask(("cookie", "; ".join(f"{name}={value}" for name, value in pairs)))


@pytest.fixture(params=["remembered", "read"])
async def site(request: pytest.FixtureRequest, harness: Harness) -> Site:
    await harness.add_app("wolves", cookie_prefix="WOLVES", host="wolves.example")
    await harness.add_app("strict!", cookie_prefix="strict", host="strict.example", host_only_cookies=True)
    tokens, numbers = [], {}
    for name, whose in (("alice1", "mine"), ("mallory", "theirs")):
        numbers[str((await harness.add_account(name, password=PASSWORD)).number)] = whose
        client = Client(harness)
        await client.log_in(name)
        tokens.append(client.token)
    made = Site(harness, tokens[0], tokens[1], numbers)
    if request.param == "remembered":
        for token in tokens:
            await made.ask(("authorization", f"Bearer {token}"))
    return made


@pytest.mark.attack("CK-10")
async def test_only_cookies_of_apps_that_exist_count(site: Site) -> None:
    assert await site.cookies((OWN, site.mine)) == "mine"
    assert await site.cookies((OTHER, site.mine)) == "mine"
    assert await site.cookies((HOST, site.mine)) == "mine"
    for name in (
        "xAUTHTOKEN", "AUTHTOKEN", f"x{OWN}", OWN[3:], OWN.lower(), OWN.upper(), f"__Host-{OWN}", f"__host-{HOST[7:]}",
        "strictAUTHTOKEN", "__Host-strictAUTHTOKENx", "__Secure-strictAUTHTOKEN", "menshenCSRF", f"{OWN}{OWN}",
        f"{OWN} ", f"{OWN}\t", f"a={OWN}", f'"{OWN}"', f"\xa0{OWN}", "wolvesAUTHTOKEN",
    ):  # fmt: skip
        assert await site.cookies((name, site.theirs)) == "401", name
        for own in (OWN, HOST):
            assert await site.cookies((name, site.theirs), (own, site.mine)) == "mine", name
            assert await site.cookies((own, site.mine), (name, site.theirs)) == "mine", name


@pytest.mark.attack("CK-10")
async def test_no_number_of_junk_cookies_crowds_out_the_genuine_one(site: Site) -> None:
    junk = [(f"a{n}AUTHTOKEN", site.theirs) for n in range(300)]
    assert await site.cookies(*junk, (OWN, site.mine)) == "mine"
    assert await site.cookies((OWN, site.mine), *junk) == "mine"
    first = "; ".join(f"{name}={value}" for name, value in junk)
    assert await site.ask(("cookie", first), ("cookie", f"{OWN}={site.mine}")) == "mine"
    assert await site.cookies(*junk[:4], (OWN, site.mine)) == "mine"
    assert await site.cookies(*junk) == "401"


@pytest.mark.attack("CK-10")
async def test_junk_under_the_names_of_all_apps_changes_nothing(site: Site) -> None:
    """Each name is looked at once: as many as there are apps, and no more."""
    for n in range(MANY):
        await site.harness.add_app("n" * (n + 10), cookie_prefix=f"app{n}-", host_only_cookies=n % 2 == 0)
    names = [f"{'' if n % 2 else '__Host-'}app{n}-AUTHTOKEN" for n in range(MANY)]
    junk = [(name, JUNK) for name in names]
    assert await site.cookies(*junk, (OWN, site.mine)) == "mine"
    assert await site.cookies((HOST, site.mine), *junk) == "mine"
    assert await site.cookies(*[(name, site.mine) for name in names], (OWN, site.mine)) == "mine"
    for value in ("", "x", "y" * 5000, JUNK + ",", f'"{JUNK}"'):
        assert await site.cookies((OTHER, value), (OWN, site.mine)) == "mine"


@pytest.mark.attack("CK-10")
async def test_of_two_accounts_neither_counts(site: Site) -> None:
    assert await site.cookies((OWN, site.mine), (OTHER, site.theirs)) == "401"
    assert await site.cookies((OTHER, site.theirs), (OWN, site.mine)) == "401"
    assert await site.cookies((OTHER, site.mine), (OWN, site.mine)) == "mine"
    second = Client(site.harness)
    await second.log_in("alice1")
    assert await site.cookies((OTHER, second.token), (OWN, site.mine)) == "mine"


@pytest.mark.attack("CK-10")
async def test_a_host_cookie_decides_as_no_sibling_can_set_it(site: Site) -> None:
    """What a sibling tosses under the name of another app neither takes its place nor shuts its owner out."""
    for tossed in ([(OTHER, site.theirs)], [(OWN, site.theirs), (OTHER, site.theirs)], [(OWN, "a"), (OWN, "b")]):
        assert await site.cookies(*tossed, (HOST, site.mine)) == "mine"
        assert await site.cookies((HOST, site.mine), *tossed) == "mine"
    assert await site.cookies((HOST, JUNK), (OWN, site.mine)) == "mine"
    await site.harness.add_app("second-strict", cookie_prefix="second", host_only_cookies=True)
    assert await site.cookies((HOST, site.mine), ("__Host-secondAUTHTOKEN", site.theirs)) == "401"
    assert await site.cookies((HOST, JUNK), ("__Host-secondAUTHTOKEN", site.mine), (OWN, site.theirs)) == "mine"


@pytest.mark.attack("CK-9", "CK-10")
async def test_a_name_that_comes_twice_leaves_no_room_for_another(site: Site) -> None:
    """Else who doubles the genuine cookie could put one of another app in its place."""
    for value in (site.mine, site.theirs, JUNK, ""):
        twice = [(HOST, site.mine), (HOST, value)]
        assert await site.cookies(*twice) == await site.cookies(*twice, (OWN, site.mine)) == "401"
        twice = [(OWN, site.mine), (OWN, value)]
        whose = "401" if value == site.theirs else "mine"
        assert await site.cookies(*twice) == await site.cookies(*reversed(twice)) == whose
        assert await site.cookies(*twice, (OTHER, JUNK)) == await site.cookies((OTHER, site.mine), *twice) == whose
        for twice in ([(OWN, site.mine), (OWN, value)], [(HOST, site.mine), (HOST, value)]):
            assert await site.cookies(*twice, (OTHER, site.theirs)) == "401"
            assert await site.cookies((OTHER, site.theirs), *reversed(twice)) == "401"


@pytest.mark.attack("CK-9", "CK-10")
async def test_so_many_of_one_name_are_none_that_looking_would_cost(site: Site) -> None:
    junk = [(OWN, f"{JUNK[:-2]}{n:02}") for n in range(50)]
    assert await site.cookies(*junk[:3], (OWN, site.mine)) == await site.cookies((OWN, site.mine), *junk[:3]) == "mine"
    for many in (junk[:4], junk):
        mine = [*many, (OWN, site.mine)]
        assert await site.cookies(*mine) == await site.cookies(*mine, (OTHER, site.theirs)) == "401"
        assert await site.cookies(*many, (HOST, site.mine)) == "mine"
    assert await site.cookies(*[(OWN, site.mine)] * 9, *[(OWN, "")] * 9) == "mine"


@pytest.mark.attack("CK-9", "CK-10")
async def test_names_of_no_app_may_come_twice(site: Site) -> None:
    assert await site.cookies(("xAUTHTOKEN", "a"), ("xAUTHTOKEN", "b"), (OWN, site.mine)) == "mine"
    assert await site.ask(("cookie", f"{OWN}={site.mine}; {OWN}")) == "mine"


@pytest.mark.attack("CK-10")
async def test_names_follow_the_apps(site: Site) -> None:
    async def change(name: str, **changes: object) -> None:
        await change_app(name, changes, store=site.harness.store, world=site.harness.clock)

    await change("wolves", disabled=True)
    assert await site.cookies((OTHER, site.mine)) == "401"
    assert await site.cookies((OTHER, site.theirs), (OWN, site.mine)) == "mine"
    assert await site.cookies((OTHER, JUNK), (OTHER, JUNK), (OWN, site.mine)) == "mine"
    await change("wolves", disabled=False, cookie_prefix="chuang")
    assert await site.cookies((OTHER, site.mine)) == "401"
    assert await site.cookies(("chuangAUTHTOKEN", site.mine)) == "mine"
    assert await site.cookies(("chuangAUTHTOKEN", JUNK), (OWN, site.mine)) == "mine"
    await change("wolves", host_only_cookies=True)
    assert await site.cookies(("chuangAUTHTOKEN", site.mine)) == "401"
    assert await site.cookies(("__Host-chuangAUTHTOKEN", site.mine)) == "mine"
    # Two apps may share a prefix, and then share their cookies; one of them is enough.
    await change("wolves", host_only_cookies=False, cookie_prefix="menshen", disabled=True)
    assert await site.cookies((OWN, site.mine)) == "mine"


@pytest.mark.attack("CK-10")
@pytest.mark.parametrize("prefix", ["__Host-", "__Host-menshen", "__host-x", "__HOST-x"])
async def test_no_app_takes_the_prefix_of_host_cookies_for_its_own(site: Site, prefix: str) -> None:
    refused = await change_app("wolves", {"cookie_prefix": prefix}, store=site.harness.store, world=site.harness.clock)
    assert getattr(refused, "field", None) == "cookie_prefix"


@pytest.mark.attack("CK-5", "CK-10")
async def test_a_header_decides_alone(site: Site) -> None:
    """`Authorization: Bearer`, or `Token` as the login sent it. Both say the same, or it is none. Empty is absent."""
    cookie = ("cookie", f"{OWN}={site.theirs}; {HOST}={site.theirs}")
    bearer, token = ("authorization", f"Bearer {site.mine}"), ("token", site.mine)
    assert await site.ask(bearer) == await site.ask(token) == "mine"
    assert await site.ask(bearer, cookie) == await site.ask(cookie, token) == "mine"
    for bad in (("authorization", "Bearer x"), ("authorization", "Basic YTpi"), ("authorization", "Basic"),
                ("token", "x"), ("token", f"Bearer {site.mine}"), ("token", site.mine.upper())):  # fmt: skip
        assert await site.ask(bad, cookie) == await site.ask(cookie, bad) == "401", bad
        assert await site.ask(bad, bearer) == await site.ask(bad, token) == await site.ask(token, bad) == "401", bad
    assert await site.ask(bearer, token) == await site.ask(token, cookie, bearer) == "mine"
    for twice in ((token, token), (bearer, bearer), (bearer, token, token), (bearer, ("token", site.theirs))):
        assert await site.ask(*twice) == await site.ask(*twice, cookie) == "401"
    for empty in (("authorization", ""), ("authorization", "Bearer"), ("token", "")):
        assert await site.ask(empty, cookie) == await site.ask(cookie, empty) == "theirs"
        assert await site.ask(empty, bearer) == await site.ask(token, empty) == "mine"


@pytest.mark.attack("TK-5", "CK-10")
async def test_quotes_are_one_pair_or_none(site: Site) -> None:
    assert await site.cookies((OWN, f'"{site.mine}"')) == "mine"
    for value in (f'"{site.mine}', f'{site.mine}"', f'""{site.mine}""', f" {site.mine}", f'" {site.mine}"', '"', '""'):
        assert await site.cookies((OWN, value)) == "401", value
    assert await site.ask(("cookie", f"{OWN}={site.mine} \t; a=b")) == "mine"


async def test_what_remembers_nothing_says_the_same(site: Site) -> None:
    """Another process starts with no apps and no sessions in memory."""
    site.harness.store.apps.forget()
    assert await site.cookies((OTHER, site.mine), (OWN, JUNK)) == "mine"
    site.harness.store.apps.forget()
    assert await site.cookies((OWN, site.mine)) == "mine"
