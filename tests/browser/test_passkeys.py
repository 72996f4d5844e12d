"""Passkeys from end to end: a real Chromium, its virtual authenticator, a started server.

(docs/contracts/factors.md section 6.)
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.authenticator import Client
from tests.browser.chromium import Browser, PageError
from tests.server import Server

pytestmark = pytest.mark.pages

USERNAME, PASSWORD = "ken_88", "correct horse battery"
PHONE: dict[str, Any] = {}
SYNCED = {"defaultBackupEligibility": True, "defaultBackupState": True}


def open_client(browser: Browser, server: Server, **authenticator: Any) -> Client:
    server.menshen("account", "add", "--username", USERNAME, "--password-stdin", stdin=PASSWORD)
    # An RP id is a name: "localhost" is one, and secure to a browser.
    return Client(browser.new_page(), f"http://localhost:{server.port}", **authenticator)


def by_password(client: Client) -> dict[str, Any]:
    return client.call("POST", "/users/login", {"login_id": USERNAME, "password": PASSWORD})


def register(client: Client, token: str) -> dict[str, Any]:
    options = client.call("POST", "/users/passkeys/options", {}, token)
    assert options["status"] == 200, options
    credential = client.create(options["body"]["public_key"])
    made = client.call("POST", "/users/passkeys", {"credential": credential, "name": "Ken's phone"}, token)
    assert made["status"] == 200, made
    return made["body"]


def by_passkey(client: Client) -> dict[str, Any]:
    options = client.call("POST", "/users/passkey/options", {})
    assert options["status"] == 200, options
    credential = client.get(options["body"]["public_key"])
    return client.call("POST", "/users/passkey/login", {"credential": credential})


def level_of(server: Server, token: str) -> str:
    return server.call("GET", "/auth/verify", headers={"Token": token}).one("X-Auth-Level")


@pytest.mark.parametrize("kind", [PHONE, SYNCED], ids=["device", "synced"])
def test_a_person_registers_a_passkey_and_logs_in_without_a_name(
    browser: Browser, server: Server, kind: dict[str, Any]
) -> None:
    client = open_client(browser, server, **kind)
    begun = by_password(client)
    assert level_of(server, begun["token"]) == "1"
    made = register(client, begun["token"])
    assert len(made["recovery_codes"]) == 10

    entered = by_passkey(client)
    assert (entered["status"], entered["body"]["user_info"]["username"]) == (200, USERNAME)
    assert level_of(server, entered["token"]) == "2"
    # A second time, with a counter that rose. It takes the place of the login whose cookie the browser has.
    entered = by_passkey(client)
    assert entered["status"] == 200

    listed = client.call("GET", "/users/factors", None, entered["token"])["body"]
    (passkey,) = listed["passkeys"]
    assert passkey["name"] == "Ken's phone"
    removed = client.call("DELETE", f"/users/passkeys/{passkey['id']}", None, entered["token"])
    assert removed["status"] == 200, removed
    unknown = by_passkey(client)
    assert (unknown["status"], unknown["body"]["error"]) == (401, "passkey_unknown")


def test_a_passkey_completes_a_login_that_waits(browser: Browser, server: Server) -> None:
    client = open_client(browser, server)
    token = by_password(client)["token"]
    codes = register(client, token)["recovery_codes"]
    on = client.call("PUT", "/users/second_step", {"on": True, "recovery_code": codes[0]}, token)
    assert on["status"] == 200, on

    waiting = by_password(client)
    assert (waiting["status"], waiting["token"]) == (428, "")
    assert waiting["body"]["error"] == "second_factor_required"
    assert waiting["body"]["methods"] == ["passkey", "recovery"]
    ticket = waiting["body"]["login_ticket"]
    options = client.call("POST", "/users/login/second/options", {"login_ticket": ticket})
    credential = client.get(options["body"]["public_key"])
    step = {"login_ticket": ticket, "method": "passkey", "credential": credential}
    entered = client.call("POST", "/users/login/second", step)
    assert (entered["status"], entered["body"]["user_info"]["username"]) == (200, USERNAME)
    assert level_of(server, entered["token"]) == "2"
    again = client.call("POST", "/users/login/second", step)
    assert (again["status"], again["body"]["error"]) == (401, "ticket_invalid")


def test_a_wrong_signature_and_an_unverified_person_do_not_log_in(browser: Browser, server: Server) -> None:
    client = open_client(browser, server)
    register(client, by_password(client)["token"])
    client.set("setResponseOverrideBits", isBogusSignature=True)
    wrong = by_passkey(client)
    assert (wrong["status"], wrong["body"]["error"], wrong["token"]) == (401, "wrong_passkey", "")
    client.set("setResponseOverrideBits", isBadUV=True)
    wrong = by_passkey(client)
    assert (wrong["status"], wrong["body"]["error"]) == (401, "wrong_passkey")
    client.set("setResponseOverrideBits")
    client.set("setUserVerified", isUserVerified=False)
    with pytest.raises(PageError, match="NotAllowedError"):
        by_passkey(client)
    client.set("setUserVerified", isUserVerified=True)
    assert by_passkey(client)["status"] == 200
