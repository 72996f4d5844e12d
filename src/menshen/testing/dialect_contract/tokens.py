"""Test tokens: a dialect accepts them in its stated places, and treats a revoked one as none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from menshen.testing.dialect_contract.site import DialectSite
from menshen.wire.examples import Answer, Carrier, Request

_HEADERS = ("X-Token", "X-Auth-Token", "X-Session-Token", "X-Access-Token")
_NAMES = ("token", "access_token", "session")


class TokensContract:
    """Test what a token opens, and in which places of a request."""

    async def test_a_login_hands_out_a_token_that_works(self, site: DialectSite) -> None:
        token, login = await _logged_in(site)
        assert site.examples.token(login) == token
        assert not site.examples.refusal(await site.read_account(token))

    async def test_only_a_live_token_opens_anything(self, site: DialectSite) -> None:
        token, _ = await _logged_in(site)
        other = token[::-1] if token[::-1] != token else token[1:] + "b"
        for wrong in ("", other, token[:-1], token + "a"):
            await site.refused_calmly(await site.read_account(wrong))

    async def test_a_revoked_token_is_refused_as_an_unknown_one(self, site: DialectSite) -> None:
        token, _ = await _logged_in(site)
        site.script.live.clear()
        revoked = await site.read_account(token)
        await site.refused_calmly(revoked)
        other = token[1:] + "b"
        unknown = await site.read_account(other)
        assert (revoked.status, revoked.body) == (unknown.status, unknown.body)

    async def test_a_token_is_taken_where_the_dialect_says(self, site: DialectSite) -> None:
        token, login = await _logged_in(site)
        for carrier, request in carried(site, token, login):
            answer = await site.send(request)
            if carrier in site.examples.carriers:
                assert not site.examples.refusal(answer), carrier

    async def test_a_token_is_taken_nowhere_else(self, site: DialectSite) -> None:
        token, login = await _logged_in(site)
        for carrier, request in (*carried(site, token, login), *elsewhere(site, token)):
            if carrier not in site.examples.carriers:
                answer = await site.send(request)
                assert site.examples.refusal(answer), f"{carrier}: {request}"

    async def test_no_address_of_an_answer_holds_the_token(self, site: DialectSite) -> None:
        token, login = await _logged_in(site)
        for name, value in login.headers:
            assert token not in value or name not in {"location", "link", "refresh", "content-location"}


async def _logged_in(site: DialectSite) -> tuple[str, Answer]:
    token = site.new_token()
    site.script.grant(site.dialect.name, token)
    return token, await site.log_in()


def _bare(site: DialectSite) -> Request:
    return site.examples.account(site.script.app, "", site.script.now)


def carried(site: DialectSite, token: str, login: Answer) -> Iterator[tuple[Carrier, Request]]:
    """Yield the call that needs a login, with the token in each place that a dialect may declare."""
    bare = _bare(site)
    yield Carrier.BEARER, bare.with_header("authorization", f"Bearer {token}")
    yield Carrier.TOKEN_HEADER, bare.with_header("token", token)
    set_by_login = [value.partition("=")[0] for name, value in login.headers if name == "set-cookie" and token in value]
    for cookie in set_by_login or _NAMES:
        yield Carrier.COOKIE, bare.with_header("cookie", f"{cookie}={token}")


def elsewhere(site: DialectSite, token: str) -> Iterator[tuple[str, Request]]:
    """Yield the same call, with the token in places that no dialect may declare."""
    bare = _bare(site)
    for header in _HEADERS:
        yield header, bare.with_header(header, token)
    yield "Authorization: Basic", bare.with_header("authorization", f"Basic {token}")
    yield "Authorization: Token", bare.with_header("authorization", f"Token {token}")
    yield "Authorization", bare.with_header("authorization", token)
    for name in _NAMES:
        yield f"?{name}=", replace(bare, query=f"{name}={token}")
        if not bare.body:
            body = json.dumps({name: token}).encode()
            yield f"body {name}", replace(bare, headers=(("content-type", "application/json"),), body=body)
