"""Check who `/auth/verify` takes for logged in. (docs/contracts/core.md section 3.4.)"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

NAME = "menshenAUTHTOKEN"


@pytest.fixture(params=["weidu", "careyshop"])
async def token(request: pytest.FixtureRequest, harness: Harness) -> str:
    """A live token of each dialect."""
    await harness.add_account("alice1", password=PASSWORD)
    if request.param == "careyshop":
        return str((await Shop(harness).log_in("alice1", PASSWORD))["token"]["token"])
    client = Client(harness)
    await client.log_in("alice1")
    return client.token


async def status(harness: Harness, *headers: tuple[str, str], verb: str = "GET") -> int:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return (await harness.client.request(verb, "/auth/verify", headers=raw)).status_code


def bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


def cookie(token: str) -> tuple[str, str]:
    return "cookie", f"{NAME}={token}"


def spellings(token: str) -> list[str]:
    """Give other texts that look like the token. Blanks around a value belong to HTTP."""
    cut = [token[:-n] for n in range(1, 17)] + [token[n:] for n in range(1, 17)]
    longer = [token + more for more in ("a", "=", "\0", "%00", token, "\xa0", "\x85", "\u00ad", ",")]
    before = [more + token for more in ("a", "\0", "\xa0")]
    changed = [token.upper(), token.swapcase(), token[::-1], token[:5] + "\0" + token[5:], token[0] + " " + token[1:]]
    coded = ["".join(f"%{ord(char):02x}" for char in token), quote(token[:-1]) + "%" + f"{ord(token[-1]):x}"]
    return [made for made in cut + longer + before + changed + coded if made != token]


@pytest.mark.attack("TK-5")
async def test_nothing_but_the_very_token_is_the_token(harness: Harness, token: str) -> None:
    for other in spellings(token):
        assert await status(harness, bearer(other)) == 401, other
        assert await status(harness, cookie(other)) == 401, other
    assert await status(harness, bearer(token)) == await status(harness, cookie(token)) == 204


@pytest.mark.attack("CK-5", "HD-4")
@pytest.mark.parametrize("value", ["Bearer x", "Basic YTpi", "basic", "x", "Bearer , x"])
async def test_a_bad_bearer_does_not_fall_back_on_the_cookie(harness: Harness, token: str, value: str) -> None:
    assert await status(harness, cookie(token), ("authorization", value)) == 401
    assert await status(harness, bearer(token), bearer(token)) == 401


@pytest.mark.attack("CK-9")
async def test_of_two_cookies_of_one_name_the_good_one_counts(harness: Harness, token: str) -> None:
    for other in (f"{NAME}=planted", f"{NAME}={token}", f"{NAME}="):
        assert await status(harness, ("cookie", f"{NAME}={token}; {other}")) == 204
        assert await status(harness, ("cookie", f"{other}; {NAME}={token}")) == 204
        assert await status(harness, cookie(token), ("cookie", other)) == 204
        assert await status(harness, ("cookie", f"{other}; {NAME}={token[:-1]}")) == (204 if token in other else 401)


@pytest.mark.attack("CK-5", "HD-4")
async def test_the_token_header_is_read_and_agrees_or_is_absent(harness: Harness, token: str) -> None:
    """A token of either dialect."""
    given = "token", token
    assert await status(harness, given) == await status(harness, given, bearer(token)) == 204
    assert await status(harness, bearer(token), given, cookie("planted")) == 204
    for empty in (("token", ""), ("token", " \t"), ("authorization", ""), bearer(""), ("authorization", "bearer")):
        assert await status(harness, empty) == 401
        assert await status(harness, empty, cookie(token)) == await status(harness, empty, given) == 204
        assert await status(harness, bearer(token), empty) == 204
        assert await status(harness, empty, cookie("planted")) == 401
    for other in spellings(token):
        assert await status(harness, ("token", other)) == 401, other
        assert await status(harness, ("token", other), bearer(token)) == 401, other
        assert await status(harness, given, bearer(other)) == 401, other
    assert await status(harness, given, given) == await status(harness, given, bearer(token), given) == 401


@pytest.mark.attack("HD-7")
@pytest.mark.parametrize("verb", ["HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"])
async def test_the_verb_of_the_clients_own_request_changes_nothing(harness: Harness, token: str, verb: str) -> None:
    """Envoy and APISIX ask with it."""
    assert await status(harness, bearer(token), verb=verb) == 204
    assert await status(harness, verb=verb) == await status(harness, bearer(token[:-1]), verb=verb) == 401
    assert await status(harness, cookie(token), ("origin", "https://evil.example"), verb=verb) == 204
    assert await status(harness, bearer(token), verb="GET") == 204


@pytest.mark.attack("HD-7")
@pytest.mark.parametrize("verb", ["TRACE", "CONNECT", "PROPFIND", "UNLINK"])
async def test_other_verbs_are_answered_by_nothing(harness: Harness, token: str, verb: str) -> None:
    assert await status(harness, bearer(token), ("x-http-method-override", "GET"), verb=verb) == 405


@pytest.mark.attack("CK-6")
@pytest.mark.parametrize("path", ["/auth/verify", "/openapi.json", "/docs", "/livez"])
async def test_no_page_elsewhere_reads_an_answer(harness: Harness, path: str) -> None:
    answer = await harness.client.get(path, headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def level(harness: Harness, token: str, path: str = "/auth/verify") -> tuple[int, list[str]]:
    """Give the status of a check, and the levels that it tells."""
    answer = await harness.client.get(path, headers=dict([bearer(token)]))
    return answer.status_code, answer.headers.get_list("x-auth-level")


@pytest.mark.attack("MF-13")
async def test_it_tells_by_how_many_proofs_the_session_was_opened(harness: Harness, token: str) -> None:
    """A word behind the path asks for two. The answer follows the session at once, from memory too."""
    wanted = ("/auth/verify/level-2", "/auth/verify/role-general_user/level-2", "/auth/verify/level-2/level-2")
    for _ in range(2):
        assert await level(harness, token) == (204, ["1"])
        assert [await level(harness, token, path) for path in wanted] == [(403, [])] * 3
    (session,) = await harness.store.read.sessions.list_of(1)
    await harness.store.write(
        lambda tx: tx.sessions.prove_twice(session.session_id, harness.clock.now(), level=2, methods="pwd otp")
    )
    for _ in range(2):
        assert await level(harness, token) == (204, ["2"])
        assert [await level(harness, token, path) for path in wanted] == [(204, ["2"])] * 3
    # It is no role, and stands for no proof of a phone.
    for path in ("/auth/verify/level-2/proved-phone", "/auth/verify/role-level-2"):
        assert await level(harness, token, path) == (403, [])
    assert await level(harness, token[:-1], wanted[0]) == (401, [])
