"""2N: a fresh server belongs to whoever runs commands on its machine, and to nobody who merely comes first."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

import menshen
from menshen.app.discovery import find_dialects
from menshen.cli import main
from menshen.core.audit.events import Tag
from menshen.wire.careyshop.methods import METHODS
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.attacks.rows import counts
from tests.harness import Harness, open_harness
from tests.server import CHEAP, MENSHEN, running
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OK, PASSWORD, Client, said

PREFIX = "/weidu/api/v1"
SETUP = (
    "/setup", "/install", "/install.php", "/admin", "/admin/login", "/admin/setup", "/api/setup", "/api/v1/admin",
    "/init", "/register-admin",
    "/api/v1/install", "/_debug", "/debug", "/console", "/actuator", "/api/v1/setting", "/users",
    "/weidu/api/v1/admin", "/graphql",
)  # fmt: skip


async def no_door(harness: Harness) -> None:
    """Nothing that fingerprints like setting up answers, and nobody is there afterwards."""
    for path in SETUP:
        for verb in ("GET", "POST", "PUT"):
            body = {"username": "admin1", "password": PASSWORD, "role": "admin", "is_admin": True}
            answer = await harness.client.request(verb, path, json=body)
            assert answer.status_code in {200, 404}
            # The shop's house answers 200 over plain HTTP and says no inside.
            assert answer.status_code == 404 or answer.json()["status"] in {403, 404, 500}, path
    assert counts(harness)["accounts"] == 0


@pytest.mark.attack("AD-1")
async def test_the_first_visitor_becomes_nobody(harness: Harness) -> None:
    assert counts(harness)["accounts"] == 0
    await no_door(harness)
    guesses = {"admin": "admin", "admin1": "admin123", "root": "root", "test": "test1234", "default": "x"}
    for login_id, password in guesses.items():
        assert said(await Client(harness, ip="192.0.2.1").log_in(login_id, password))[0] in {401, 428}
    # Whoever registers is an ordinary account, the very first too.
    shop = Shop(harness)
    await shop.done(
        "add.user.item", username="first1", password=PASSWORD, password_confirm=PASSWORD, mobile="13544285663"
    )
    account = await harness.store.read.accounts.find(1)
    assert account is not None
    assert account.roles == "general_user"
    # Emptied, it does not begin anew.
    with closing(sqlite3.connect(harness.data_dir / "menshen.db")) as connection:
        connection.execute("DELETE FROM accounts")
        connection.commit()
    await no_door(harness)


def _try_start(data: Path, *arguments: str, config: str = "", **environ: str) -> str:
    """What a start that must be refused says."""
    path = data.with_suffix(".toml")
    path.write_text(config)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
    done = subprocess.run(
        [MENSHEN, "serve", "--data", str(data), "--config", str(path), "--port", "0", *arguments],
        env=clean | environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.attack("AD-2")
@pytest.mark.parametrize(
    ("arguments", "config", "named"),
    [
        (("--host", "0.0.0.0"), "", "outbox"),
        (("--host", "0.0.0.0"), "[server]\noutbox_on_network = true\n[hash]\ntesting = true\n", "[hash] testing"),
        ((), "[hash]\nmemory_kib = 1024\npasses = 1\n", "[hash] memory_kib"),
        ((), '[server]\ncors_origins = ["*"]\n', "[server] cors_origins"),
        ((), '[sms.test_numbers]\n"13800138000" = { code = "123456", until = 2020-01-01 }\n', "test_numbers"),
        ((), '[sms.test_numbers]\n"13800138000" = { code = "123456" }\n', "until"),
        ((), "[debug]\nenabled = true\n", "[debug]"),
        ((), "[server]\ndebug = true\n", "debug"),
        ((), '[risk]\ndeny = ["everybody"]\n', "[risk]"),
        ((), '[keys]\ncontent = "secret"\n', "[keys]"),
    ],
)
def test_an_unsafe_start_is_refused_by_name(
    tmp_path: Path, arguments: tuple[str, ...], config: str, named: str
) -> None:
    assert named in _try_start(tmp_path / "data", *arguments, config=config)


@pytest.mark.attack("AD-2")
def test_two_installations_share_no_secret_and_none_is_written_down(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        subprocess.run([MENSHEN, "migrate", "--data", str(tmp_path / name)], capture_output=True, check=True)
        shown = subprocess.run(
            [MENSHEN, "app", "show", "default", "--secret", "--json", "--data", str(tmp_path / name)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        app = json.loads(shown.stdout)
        keys = (tmp_path / name / "keys.toml").read_text()
        made += [app["appkey"], app["secret"], *re.findall(r'"([0-9a-f]{64})"', keys)]
    assert len(made) == 8
    assert len(set(made)) == 8
    for path in Path(menshen.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"""(?:secret|password|token|key)\s*=\s*["'][A-Za-z0-9+/]{16,}["']""", text), path.name
        assert not re.search(r"\bapi_debug\b|\bDEBUG\s*=|debug\s*=\s*True", text), path.name


@pytest.mark.attack("AD-3")
def test_administration_has_no_door_on_the_wire() -> None:
    """It is the command line, as whoever may read the installation's files."""
    lines = [line for dialect in find_dialects() for line in dialect.endpoints]
    assert lines
    assert not [line for line in lines if "admin" in line.flow or "admin" in line.path or "import" in line.flow]
    assert not [m for m in METHODS if m.handler.__module__.rpartition(".")[2].startswith("admin")]


@pytest.mark.attack("AD-3")
async def test_a_users_token_opens_nothing_of_the_operators(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    bearer = {"authorization": f"Bearer {client.token}"}
    for path in (*SETUP, "/api/v1/users", "/metrics/x"):
        answer = await harness.client.get(path, headers=bearer)
        assert answer.status_code == 404 or answer.json()["status"] in {401, 403, 404, 500}, path


@pytest.mark.attack("AD-4")
def test_every_deed_of_an_operator_leaves_its_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in CHEAP.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o077)
    deeds = {
        ("account", "add", "--username", "deed1"): Tag.ACCOUNT_REGISTERED,
        ("account", "disable", "deed1"): Tag.ACCOUNT_DISABLED,
        ("account", "enable", "deed1"): Tag.ACCOUNT_ENABLED,
        ("account", "reset-password", "deed1"): Tag.PASSWORD_RESET,
        ("account", "export", "deed1"): Tag.ACCOUNT_EXPORTED,
        ("account", "delete", "deed1", "--yes"): Tag.ACCOUNT_CLOSED,
        ("app", "add", "deedapp"): Tag.APP_ADDED,
        ("app", "set", "deedapp", "--captcha", "always"): Tag.APP_CHANGED,
        ("app", "rotate-secret", "deedapp"): Tag.APP_CHANGED,
        ("app", "disable", "deedapp"): Tag.APP_CHANGED,
    }
    place = ["--data", str(tmp_path / "data")]
    for words, tag in deeds.items():
        assert main([*words, *place]) == 0
        capsys.readouterr()
        assert main(["audit", "--json", "--limit", "5", *place]) == 0
        events = json.loads(capsys.readouterr().out)
        assert tag.value in {event["event"] for event in events if event["dialect"] == "admin"}, words
    os.umask(umask)


MEMBERS = [route for route in ROUTES if route.access is Access.PRIVATE]


@pytest.mark.attack("AD-5")
@pytest.mark.parametrize("route", MEMBERS, ids=lambda route: f"{route.verb} {route.path}")
async def test_every_private_call_refuses_strangers_and_others(harness: Harness, route: object) -> None:
    await harness.add_account("alice1", phone="13544285663", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    alice, bob = Client(harness), Client(harness)
    await alice.log_in("alice1")
    await bob.log_in("bobby1")
    (session,) = (await alice.get("/users/sessions")).json()["sessions"]
    verb, path = route.verb, route.path.replace("{id}", session["id"])  # type: ignore[attr-defined]
    carried: tuple[dict[str, str], ...] = (
        {},
        {"authorization": "Bearer x"},
        {"authorization": f"Basic {alice.token}"},
        {"cookie": f"t={alice.token}"},
    )
    for headers in carried:
        answer = await harness.client.request(verb, PREFIX + path, json={}, headers=headers)
        assert said(answer) == (401, "unauthenticated")
    if "{id}" in route.path:  # type: ignore[attr-defined]
        # Only a body that is whole gets as far.
        assert said(await bob.call(verb, path, {"name": "x"} if verb == "PUT" else None)) == (404, "not_found")
        assert await alice.alive()
    assert said(await alice.get("/users/info")) == OK


@pytest.mark.attack("AD-6")
async def test_figures_and_pages_show_no_secret_and_figures_go_to_this_machine(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as h:
        await h.add_account("alice1", phone="13544285663", password=PASSWORD)
        client = Client(h)
        await client.log_in("alice1")
        paths = ("/metrics", "/docs", "/openapi.json", "/livez", "/readyz")
        pages = [(await h.client.get(path)).text for path in paths]
        for text in pages:
            for secret in (client.token, h.app.secret, h.app.appkey, "13544285663", "alice1", str(tmp_path)):
                assert secret not in text
        async with h.client_from("192.0.2.1") as stranger:
            assert (await stranger.get("/metrics")).status_code == 404
        assert (await h.client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"})).status_code == 404


@pytest.mark.attack("AD-2")
def test_a_server_without_settings_answers_this_machine_only(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        sockets = Path(f"/proc/{server.process.pid}/net/tcp").read_text().splitlines()[1:]
        listening = {line.split()[1] for line in sockets if line.split()[3] == "0A"}
        mine = {address for address in listening if address.endswith(f":{server.port:04X}")}
        assert mine == {f"0100007F:{server.port:04X}"}
