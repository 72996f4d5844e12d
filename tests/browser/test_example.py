"""The JavaScript that docs/clients/weidu.md shows, run as it stands in a page of the server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.architecture.papers import section, text_of
from tests.browser.authenticator import Client
from tests.browser.chromium import Browser
from tests.server import Server

pytestmark = pytest.mark.pages

USERNAME, PASSWORD = "ken_88", "correct horse battery"
(EXAMPLE,) = re.findall(r"```js\n(.*?)```", section(text_of("docs/clients/weidu.md"), "Second step"), re.DOTALL)


def test_the_example_logs_in_by_a_passkey_and_completes_a_login(browser: Browser, server: Server) -> None:
    server.menshen("account", "add", "--username", USERNAME, "--password-stdin", stdin=PASSWORD)
    client = Client(browser.new_page(), f"http://localhost:{server.port}")
    login = {"login_id": USERNAME, "password": PASSWORD}
    # A program's session: those of the browser end with its next login.
    token = server.call("POST", "/weidu/api/v1/users/login", json.dumps(login)).one("Token")
    options = client.call("POST", "/users/passkeys/options", {}, token)["body"]["public_key"]
    made = client.call("POST", "/users/passkeys", {"credential": client.create(options)}, token)["body"]
    assert made["code"] == 200, made
    client.page.run(f"{EXAMPLE}\n0")

    assert client.page.run("logInByPasskey()")["user_info"]["username"] == USERNAME

    on = {"on": True, "recovery_code": made["recovery_codes"][0]}
    assert client.call("PUT", "/users/second_step", on, token)["status"] == 200
    ticket = client.call("POST", "/users/login", login)["body"]["login_ticket"]
    completed = client.page.run(f"stepByPasskey({json.dumps(ticket)}, true)")
    assert completed["user_info"]["username"] == USERNAME
    # The browser holds the cookie of a trusted device now.
    trusted = client.call("POST", "/users/login", login)
    assert trusted["status"] == 200
    verified = server.call("GET", "/auth/verify", headers={"Token": trusted["token"]})
    assert verified.one("X-Auth-Level") == "1"

    assert client.page.run('stepByPasskey("y".repeat(26), false)')["error"] == "ticket_invalid"
    passkey = made["passkey"]["id"]
    proof = {"method": "passkey", "credential": client.get(_options(client, token))}
    assert client.call("POST", "/users/prove", proof, token)["status"] == 200
    assert client.call("DELETE", f"/users/passkeys/{passkey}", None, token)["status"] == 200
    assert client.page.run("logInByPasskey()")["error"] == "passkey_unknown"


def _options(client: Client, token: str) -> Any:
    return client.call("POST", "/users/prove/options", {}, token)["body"]["public_key"]
