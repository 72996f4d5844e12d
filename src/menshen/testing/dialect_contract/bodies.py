"""Test bodies: only a login reaches its flow, and it arrives as it was typed."""

from __future__ import annotations

import json
from dataclasses import replace

from menshen.testing.dialect_contract.site import DialectSite
from menshen.wire.examples import Answer, Request

TOO_LARGE = 17 * 1024
"""Bytes: more than any dialect reads (docs/contracts/core.md section 4)."""

MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" ",
    "cut": b'{"username":"alice1"',
    "more behind": b'{"username":"alice1","password":"Secret-12"} x',
    "empty": b"{}",
    "other types": b'{"username":1,"password":["Secret-12"],"login_id":{}}',
    "list": b'[{"username":"alice1","password":"Secret-12"}]',
    "null": b"null",
    "number": b"5",
    "not UTF-8": b"\xff\xfe\x00",
    "byte order mark": b"\xef\xbb\xbf{}",
    "NUL": b'{"username":"a\x00b","password":"Secret-12"}',
    "lone surrogate": b'{"username":"\\ud800","password":"Secret-12"}',
    "not a number": b'{"a":NaN}',
    "huge number": b'{"a":' + b"9" * 5000 + b"}",
    "duplicate key": b'{"username":"alice1","username":"mallory","password":"Secret-12"}',
    "deep": b'{"a":' * 200 + b"1" + b"}" * 200,
    "never closed": b"[" * 10_000,
    "broken form": b"--X\r\n",
    "compressed": b"\x1f\x8b\x08\x00garbage",
}
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=X", "text/plain", "")

TYPED = [
    ("alice1", "Secret-12"),
    ("ALICE_1", " spaces around "),
    ("alice-1", "密码🔑\u0301 is long enough"),
    ("a%2Fb", "%00%FF+&="),
    ("alice1", '{"$ne": null}\'";--'),
    ("x" * 320, "p" * 1024),
    ("ａｌｉｃｅ", "\t\n passphrase \r"),
]
"""Usernames and passwords that a careless decoder changes on the way."""


async def round_trip(site: DialectSite, username: str, password: str) -> Answer:
    """Log in with these, and demand that the flow gets them unchanged, or that the wire refuses them without asking.

    Raises:
        AssertionError: the flow got something else, or the answer fits neither case.
    """
    token = site.new_token()
    site.script.asked.clear()
    site.script.grant(site.dialect.name, token)
    answer = await site.log_in(username, password)
    asked = site.script.password_logins()
    if asked:
        (ask,) = asked
        assert (ask.login_id, ask.password) == (username, password)
        assert site.examples.token(answer) == token
    else:
        await site.refused_calmly(answer)
    return answer


class BodiesContract:
    """Test the content of requests, and its effect."""

    async def test_a_login_goes_to_its_flow_and_comes_back(self, site: DialectSite) -> None:
        await round_trip(site, "alice1", "Secret-12")
        (ask,) = site.script.password_logins()
        assert (ask.login_id, ask.password) == ("alice1", "Secret-12")

    async def test_what_is_typed_is_never_changed(self, site: DialectSite) -> None:
        for username, password in TYPED:
            await round_trip(site, username, password)

    async def test_a_malformed_body_is_refused(self, site: DialectSite) -> None:
        login = self._login(site)
        for name, body in MALFORMED.items():
            for kind in TYPES:
                headers = (("content-type", kind),) if kind else ()
                said = await site.refused_calmly(await site.send(replace(login, headers=headers, body=body)))
                assert said, name
        assert site.script.asked == []

    async def test_a_key_that_stands_twice_is_refused(self, site: DialectSite) -> None:
        login = self._login(site)
        if login.body.startswith(b"{"):
            for name, value in json.loads(login.body).items():
                twice = login.body[:-1] + f', "{name}": {json.dumps(value)}}}'.encode()
                await site.refused_calmly(await site.send(replace(login, body=twice)))
            assert site.script.asked == []

    async def test_a_body_that_is_too_large_is_refused(self, site: DialectSite) -> None:
        login = self._login(site)
        for padding in (b" " * TOO_LARGE, b"&x=" + b"a" * TOO_LARGE):
            answer = await site.send(replace(login, body=login.body + padding))
            await site.refused_calmly(answer)
            # The rest was not read, and could be taken for a next request.
            assert answer.header("connection") == "close"
        assert site.script.asked == []

    async def test_no_body_makes_any_endpoint_fail(self, site: DialectSite) -> None:
        fault = await site.fault()
        for endpoint in site.dialect.endpoints:
            for verb in endpoint.verb.split():
                for body in MALFORMED.values():
                    headers = (("content-type", "application/json"),)
                    answer = await site.send(Request(verb, endpoint.path.replace("{id}", "x1"), headers, body))
                    assert answer.status < 500, endpoint
                    assert site.examples.refusal(answer) != fault, endpoint

    def _login(self, site: DialectSite) -> Request:
        return site.examples.login(site.script.app, "alice1", "Secret-12", site.script.now)
