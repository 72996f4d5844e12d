"""`menshen account factors` and `menshen account reset-factors`."""

import asyncio
from pathlib import Path

import pytest

from menshen.app.installation.opening import Installation, open_installation
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.ports.store.store import WriteTx
from tests.cli.conftest import Menshen
from tests.flows.account.stepped import HANDLE, KEY, MAC, SECRET, TICKET, TRUST, put_factors
from tests.flows.site import AWAY

WORLD = SystemWorld()
NOTHING: dict[str, list[object]] = {"factors": [], "passkeys": [], "trusted_devices": []}


async def _enrol(here: Installation) -> None:
    now = WORLD.now()

    async def work(tx: WriteTx) -> None:
        account = await tx.accounts.find(1)
        assert account is not None
        await put_factors(tx, account, here.default_app.app_id, now)
        await tx.accounts.change_factors(1, now=now, second_step=True)

    await here.store.write(work)


@pytest.fixture
def alice(menshen: Menshen, data: Path) -> str:
    """An account with a factor, a passkey, two codes and a trusted device; its id."""
    made = menshen(
        "account", "add", "--username", "Alice", "--phone", "13800138000", "--email", "a@x.com", "--verified", "--json"
    ).json()

    async def run() -> None:
        async with open_installation(load_settings(None, {}, data), WORLD) as here:
            await _enrol(here)

    asyncio.run(run())
    return str(made["id"])


def test_what_an_account_has_is_shown_without_a_secret(menshen: Menshen, alice: str) -> None:
    done = menshen("account", "factors", "alice", "--json")
    shown = done.json()
    assert {name: shown[name] for name in ("id", "username", "second_step", "recovery_codes_left")} == {
        "id": alice, "username": "Alice", "second_step": True, "recovery_codes_left": 2,
    }  # fmt: skip
    assert [(one["kind"], one["used"]) for one in shown["factors"]] == [("totp", None)]
    (passkey,) = shown["passkeys"]
    assert (passkey["passkey"], passkey["name"], passkey["rp_id"]) == ("passkey-1", "My phone", "login.example")
    assert (passkey["synced"], passkey["step_only"]) == (True, False)
    assert passkey["created"] < passkey["used"]
    (device,) = shown["trusted_devices"]
    assert (device["device"], device["name"], device["ip"], device["used"]) == ("trust-1", "Firefox", AWAY, None)
    assert device["created"] < device["expires"]
    people = menshen("account", "factors", "#1").out
    for word in ("second_step", "yes", "totp", "My phone", "Firefox"):
        assert word in people
    for secret in (KEY, SECRET, MAC, TICKET, TRUST, HANDLE):
        assert secret.decode() not in done.out + people
        assert secret.hex() not in done.out + people


def test_an_account_without_any(menshen: Menshen) -> None:
    menshen("account", "add", "--username", "alice")
    shown = menshen("account", "factors", "alice", "--json").json()
    assert (shown["second_step"], shown["recovery_codes_left"]) == (False, 0)
    assert {name: shown[name] for name in NOTHING} == NOTHING
    assert menshen("account", "factors", "alice").out.endswith("no factors\n\nno passkeys\n\nno trusted devices\n")
    done = menshen("account", "reset-factors", "alice")
    assert (done.code, done.out) == (0, "the account has no second factor: nothing was removed\n")
    assert menshen("account", "reset-factors", "alice", "--json").json()["reset"] is False
    assert "factor.reset" not in [event["event"] for event in menshen("audit", "--json").json()]
    assert menshen("outbox", "--json").json() == []


def test_a_reset_removes_all_of_it_and_tells_the_owner(menshen: Menshen, alice: str) -> None:
    assert menshen("account", "reset-factors", "alice", "--json").json() == {
        "id": alice, "username": "Alice", "reset": True, "factors": 1, "passkeys": 1, "recovery_codes": 2,
        "trusted_devices": 1,
    }  # fmt: skip
    shown = menshen("account", "factors", "alice", "--json").json()
    assert (shown["second_step"], shown["recovery_codes_left"]) == (False, 0)
    assert {name: shown[name] for name in NOTHING} == NOTHING
    (event,) = [event for event in menshen("audit", "--json").json() if event["event"] == "factor.reset"]
    assert (event["dialect"], event["account"], event["reason"]) == ("admin", 1, "admin")
    notices = menshen("outbox", "--json").json()
    assert sorted((notice["to"], notice["template"]) for notice in notices) == [
        ("+8613800138000", "factors_reset"), ("a@x.com", "factors_reset"),
    ]  # fmt: skip
    assert menshen("account", "reset-factors", "alice", "--json").json()["reset"] is False


@pytest.mark.parametrize("command", ["factors", "reset-factors"])
def test_who_is_not_there_is_refused(menshen: Menshen, alice: str, command: str) -> None:
    done = menshen("account", command, "bob")
    assert (done.code, done.err) == (1, "menshen: there is no account bob\n")
    assert menshen("account", "delete", "alice", "--yes").code == 0
    assert menshen("account", "reset-factors", "#1").err == "menshen: there is no account #1\n"
