"""Outbox, audit, check, migrate, keys, epoch, backup and restore on one installation."""

import asyncio
import json
import shutil
import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from menshen.app.installation.opening import Installation, in_use, open_installation
from menshen.app.settings.reader import Settings, SettingsError, load_settings, policy_of
from menshen.app.world import SystemWorld
from menshen.core.apps import SessionRule
from menshen.core.delivery.messages import Channel, Message, Template, Try
from menshen.core.factors.proofs import BY_PASSWORD
from menshen.core.networks import scales_of
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.sessions import FIXED
from menshen.core.time import Instant
from menshen.core.tokens import TokenStyle, digest
from menshen.flows.login.finish import finish_login, mint
from menshen.ports.store.store import WriteTx
from tests.cli.conftest import Menshen

WORLD = SystemWorld()


def here(data: Path, work: Callable[[Installation], Any]) -> Any:
    """Do something to the installation, as a server would."""

    async def run() -> Any:
        async with open_installation(load_settings(None, {}, data), WORLD) as found:
            return await work(found)

    return asyncio.run(run())


def log_in(data: Path, number: int = 1, platform: str = "web") -> str:
    """A session of the account; its token."""
    rules = DialectRules("careyshop", TokenStyle.HEX, FIXED, SessionRule.ONE_PER_PLATFORM)

    async def work(found: Installation) -> str:
        origin = Origin(found.default_app, rules, "192.0.2.1", scales_of("192.0.2.1"))
        minted, now = mint(WORLD, rules), WORLD.now()

        async def grant(tx: WriteTx) -> None:
            account = await tx.accounts.find(number)
            assert account is not None
            granted = await finish_login(
                tx,
                account,
                origin,
                minted,
                keyring=found.keyring,
                policy=policy_of(found.settings),
                now=now,
                method="test",
                proof=BY_PASSWORD,
                platform=platform,
            )
            assert granted is not None

        await found.store.write(grant)
        return minted.token

    token: str = here(data, work)
    return token


def is_good(data: Path, token: str) -> bool:
    async def work(found: Installation) -> bool:
        return await found.store.read.sessions.find(digest(token)) is not None

    return bool(here(data, work))


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended(menshen: Menshen, data: Path) -> None:
    menshen("account", "add", "--username", "alice")
    web, app = log_in(data, platform="web"), log_in(data, platform="app")
    listed = menshen("account", "sessions", "alice", "--json").json()
    assert {row["platform"] for row in listed} == {"web", "app"}
    assert web not in str(listed)
    mine = next(row["session"] for row in listed if row["platform"] == "web")
    left = menshen("account", "sessions", "alice", "--end", mine, "--json").json()
    assert [row["platform"] for row in left] == ["app"]
    assert (is_good(data, web), is_good(data, app)) == (False, True)
    assert menshen("account", "sessions", "alice", "--end-all").out == "no sessions\n"
    assert not is_good(data, app)


def test_what_a_session_says_of_itself_moves_no_cursor(menshen: Menshen, data: Path) -> None:
    """Rows of older programs, and of other ones, hold whatever clients said."""
    menshen("account", "add", "--username", "alice")
    log_in(data)
    told = "a\x1b[2J\r\n\x9b\u202eb\u2066\x00"
    with closing(sqlite3.connect(data / "menshen.db")) as connection:
        connection.execute("UPDATE sessions SET device_name = ?, platform = ?", (told, told))
        connection.commit()
    shown = menshen("account", "sessions", "alice").out
    assert len(shown.splitlines()) == 2
    as_json = menshen("account", "sessions", "alice", "--json")
    for out in (shown, as_json.out):
        assert out.replace("\n", "").isprintable()
    assert as_json.out.count("\n") == 1
    assert as_json.json()[0]["device"] == told


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["disable", "alice"], "account_disabled"),
        (["delete", "alice", "--yes"], "account_closed"),
        (["reset-password", "alice"], "password_reset"),
    ],
)
def test_what_ends_sessions_with_it(menshen: Menshen, data: Path, command: list[str], reason: str) -> None:
    menshen("account", "add", "--username", "alice")
    token = log_in(data)
    assert menshen("account", *command).code == 0
    assert not is_good(data, token)
    # Not even when the account may log in again.
    menshen("account", "enable", "alice")
    assert not is_good(data, token)
    ended = [event for event in menshen("audit", "--json").json() if event["event"] == "session.ended"]
    assert [event["reason"] for event in ended] == [reason]


# --- outbox, check, migrate, keys -------------------------------------------------------------------------------------


def test_the_outbox_shows_codes_and_picks_by_number(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    assert menshen("outbox").out == "no messages\n"

    async def work(found: Installation) -> None:
        for to, code in (("+8613800138000", "111111"), ("a@x.com", "222222")):
            channel = Channel.EMAIL if "@" in to else Channel.SMS
            message = Message(channel, to, Template.CODE_LOGIN, "zh", Instant(1_795_219_200_000), code)

            async def put(tx: WriteTx, message: Message = message) -> None:
                await tx.outbox.put(message)

            await found.store.write(put)

    here(data, work)
    assert [row["code"] for row in menshen("outbox", "--json").json()] == ["111111", "222222"]
    assert [row["code"] for row in menshen("outbox", "--to", "138 0013 8000", "--json").json()] == ["111111"]
    assert [row["code"] for row in menshen("outbox", "--to", "A@x.com", "--json").json()] == ["222222"]
    assert menshen("outbox", "--to", "13900139000", "--json").json() == []
    assert [row["code"] for row in menshen("outbox", "--limit", "1", "--json").json()] == ["222222"]
    row = menshen("outbox", "--json").json()[0]
    assert (row["created"], row["sent"]) == ("2026-11-21T00:00:00.000Z", None)
    assert row["text"] == "验证码111111，用于登录，5分钟内有效。请勿告诉他人。"

    async def end(found: Installation) -> None:
        sent, unknown = (Try(n, "outbox", Instant(1_795_219_200_001)) for n in (1, 2))
        for tried in (sent, unknown):
            assert await found.store.write(lambda tx, tried=tried: tx.outbox.claim(tried))  # type: ignore[misc]
        await found.store.write(lambda tx: tx.outbox.mark_sent(sent, sent.at))
        await found.store.write(lambda tx: tx.outbox.mark_unknown(unknown))

    assert [row["state"] for row in menshen("outbox", "--json").json()] == ["waiting", "waiting"]
    here(data, end)
    assert [row["state"] for row in menshen("outbox", "--json").json()] == ["sent", "unknown"]
    assert menshen("outbox").out.splitlines()[2].split()[:4] == ["2", "2026-11-21T00:00:00.000Z", "unknown", "a@x.com"]
    assert "111111" in menshen("outbox").out
    # The database itself shows neither number nor code.
    assert b"13800138000" not in (data / "menshen.db").read_bytes()


def test_check_changes_nothing(menshen: Menshen, data: Path) -> None:
    told = f"warning: the data directory: there is no installation in {data}; the first start creates one\n"
    assert (menshen("check").out, menshen("check").code) == (told, 0)
    assert not data.exists()
    menshen("migrate")
    assert menshen("check").out == "no errors and no warnings\n"
    assert menshen("check", "--json").json() == []


def test_check_tells_errors_and_warnings(menshen: Menshen, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    menshen("migrate")
    menshen("app", "set", "default", "--hardened")
    done = menshen("check")
    assert done.code == 0
    assert done.out.startswith("warning: app default: is hardened")
    monkeypatch.setenv("MENSHEN_SERVER__HOST", "0.0.0.0")
    done = menshen("check", "--json")
    assert done.code == 1
    assert "[sms] sender" in done.err
    assert {finding["severity"] for finding in json.loads(done.out)} == {"error", "warning"}


def test_check_looks_at_keys_and_database(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("app", "add", "shop")
    (data / "keys.toml").chmod(0o644)
    assert "can be read by others" in menshen("check").err
    (data / "keys.toml").rename(tmp_path / "kept")
    assert "is missing, and the database needs it" in menshen("check").err
    menshen("app", "add", "shop", data=tmp_path / "other")
    (tmp_path / "other" / "keys.toml").rename(data / "keys.toml")
    assert "[keys]: are not those the database was made with" in menshen("check").err
    (data / "keys.toml").unlink()
    (data / "menshen.db").write_bytes(b"x" * 8192)
    assert "[storage] url: cannot open" in menshen("check").err


def test_check_tells_of_places_that_cannot_be(
    menshen: Menshen, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert f"{place} cannot be made or written to" in menshen("check", data=place).err
        assert menshen("app", "list", data=place).code == 1
    monkeypatch.setenv("MENSHEN_STORAGE__URL", f"sqlite:///{tmp_path}/nowhere/menshen.db")
    assert "[storage] url: the folder" in menshen("check").err
    assert "the folder" in menshen("app", "list").err


def test_keys_that_cannot_be_read_are_not_called_missing(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    (data / "keys.toml").write_text("garbage [[[")
    done = menshen("check")
    assert done.code == 1
    assert done.err.count("[keys]") == 1
    assert "is not TOML" in done.err


def test_migrate_says_what_it_did(menshen: Menshen, data: Path) -> None:
    first, second = menshen("migrate", "--json").json(), menshen("migrate", "--json").json()
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["schema"] == second["schema"]
    assert "already" in menshen("migrate").out
    assert menshen("app", "list").code == 0


def test_rotated_keys_open_what_was_sealed_before(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    secret = menshen("app", "show", "default", "--secret", "--json").json()["secret"]
    made = menshen("keys", "rotate", "--json").json()["id"]
    assert menshen("app", "show", "default", "--secret", "--json").json()["secret"] == secret
    assert tomllib.loads((data / "keys.toml").read_text())["keys"][0]["id"] == made
    assert menshen("keys", "rotate").code == 0


def test_keys_from_the_settings_are_not_rotated_here(
    menshen: Menshen, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    menshen("migrate")
    monkeypatch.setenv("MENSHEN_KEYS__CONTENT", (data / "keys.toml").read_text())
    assert "add the new key there" in menshen("keys", "rotate").err


def test_raising_the_epoch_ends_everything(menshen: Menshen, data: Path) -> None:
    menshen("account", "add", "--username", "alice")
    token = log_in(data)
    first = menshen("epoch", "raise", "--json").json()["epoch"]
    assert menshen("epoch", "raise", "--json").json()["epoch"] == first + 1
    assert not is_good(data, token)


# --- backup and restore -----------------------------------------------------------------------------------------------


def test_a_backup_is_put_back_and_revives_nothing(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("account", "add", "--username", "alice")
    before = log_in(data, platform="web")
    copy = tmp_path / "copy.db"
    assert menshen("backup", str(copy), "--json").json()["bytes"] == copy.stat().st_size
    assert copy.stat().st_mode & 0o777 == 0o600
    menshen("account", "add", "--username", "bobby")
    menshen("account", "sessions", "alice", "--end-all")
    after = log_in(data, platform="app")

    told = menshen("restore", str(copy), "--json").json()
    assert told["kept"] == str(data / "menshen.db.before-restore")
    assert menshen("account", "show", "alice").code == 0
    assert menshen("account", "show", "bobby").code == 1
    assert (is_good(data, before), is_good(data, after)) == (False, False)
    # What was there is not lost.
    with closing(sqlite3.connect(data / "menshen.db.before-restore")) as kept:
        assert kept.execute("SELECT count(*) FROM accounts").fetchone() == (2,)
    assert not [path.name for path in data.iterdir() if "restoring" in path.name]
    assert {path.stat().st_mode & 0o777 for path in data.iterdir()} == {0o600}
    # And once more, over the one that was kept.
    assert menshen("restore", str(copy)).code == 0


def test_a_restore_into_a_new_place(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("account", "add", "--username", "alice")
    menshen("backup", str(tmp_path / "copy.db"))
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    shutil.copy(data / "keys.toml", new / "keys.toml")
    told = menshen("restore", str(tmp_path / "copy.db"), "--json", data=new).json()
    assert told["kept"] is None
    assert menshen("account", "show", "alice", data=new).code == 0


def test_a_restore_makes_no_keys(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("migrate")
    menshen("backup", str(tmp_path / "copy.db"))
    new = tmp_path / "new"
    done = menshen("restore", str(tmp_path / "copy.db"), data=new)
    assert done.code == 1
    assert f"first copy the keys of the backed-up installation to {new / 'keys.toml'}" in done.err
    assert not (new / "keys.toml").exists()


def test_a_backup_replaces_nothing_and_needs_something(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    assert "there is no installation in" in menshen("backup", str(tmp_path / "copy.db")).err
    menshen("migrate")
    (tmp_path / "copy.db").write_text("mine")
    assert "already exists" in menshen("backup", str(tmp_path / "copy.db")).err
    assert (tmp_path / "copy.db").read_text() == "mine"
    assert menshen("backup", str(tmp_path / "far" / "copy.db")).code == 1


def damaged(copy: Path) -> None:
    raw = bytearray(copy.read_bytes())
    raw[8192:20480] = b"\xff" * 12288
    copy.write_bytes(raw)


def cut_short(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:30_000])


def foreign(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()


def no_database(copy: Path) -> None:
    copy.write_bytes(b"not at all" * 1000)


def newer(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE installation SET oldest_program = '9999'")
        connection.commit()


@pytest.mark.parametrize("spoil", [damaged, cut_short, foreign, no_database, newer])
def test_a_bad_backup_changes_nothing(
    menshen: Menshen, data: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    menshen("account", "add", "--username", "alice")
    copy = tmp_path / "copy.db"
    menshen("backup", str(copy))
    spoil(copy)
    token = log_in(data)
    done = menshen("restore", str(copy))
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert is_good(data, token)
    assert not [path.name for path in data.iterdir() if "restor" in path.name]


def test_a_backup_of_another_installation_is_refused(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("app", "add", "shop", data=tmp_path / "other")
    menshen("backup", str(tmp_path / "copy.db"), data=tmp_path / "other")
    menshen("account", "add", "--username", "alice")
    assert "made with other keys" in menshen("restore", str(tmp_path / "copy.db")).err
    assert menshen("account", "show", "alice").code == 0


def test_nothing_is_put_back_under_somebody_who_uses_it(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("migrate")
    menshen("backup", str(tmp_path / "copy.db"))
    settings: Settings = load_settings(None, {}, data)
    with in_use(settings):
        assert "stop it first" in menshen("restore", str(tmp_path / "copy.db")).err
        # Others go on beside it.
        assert menshen("app", "list").code == 0
    with in_use(settings, alone=True):
        assert "a restore is replacing it" in menshen("app", "list").err
        with pytest.raises(SettingsError), in_use(settings):
            pass
    assert menshen("restore", str(tmp_path / "copy.db")).code == 0


def test_on_postgresql_its_own_tools_are_named(menshen: Menshen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENSHEN_STORAGE__URL", "postgresql://127.0.0.1:1/none")
    for command in ("backup", "restore"):
        assert "pg_dump" in menshen(command, "copy.db").err
