"""What every command keeps to: one sentence when refused, an exit code, JSON on demand, private files."""

import stat
from pathlib import Path

import pytest

import menshen.cli.outbox
from tests.cli.conftest import Menshen

COMMANDS = [
    ("serve",),
    ("app", "add"),
    ("app", "list"),
    ("app", "show"),
    ("app", "set"),
    ("app", "rotate-secret"),
    ("app", "disable"),
    ("app", "enable"),
    ("account", "add"),
    ("account", "show"),
    ("account", "disable"),
    ("account", "enable"),
    ("account", "delete"),
    ("account", "export"),
    ("account", "reset-password"),
    ("account", "sessions"),
    ("account", "risk"),
    ("outbox",),
    ("sms", "list"),
    ("sms", "test"),
    ("sms", "receipt"),
    ("sms-report",),
    ("audit",),
    ("check",),
    ("migrate",),
    ("backup",),
    ("restore",),
    ("copy",),
    ("import", "careyshop"),
    ("keys", "rotate"),
    ("epoch", "raise"),
    ("routes",),
    ("openapi",),
]
WITHOUT_DATA = [("hash", "calibrate")]
"""Commands that need no installation."""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_takes_data_config_and_json(menshen: Menshen, command: tuple[str, ...]) -> None:
    done = menshen(*command, "--help", data=None)
    assert done.code == 0
    for option in ("--data", "--config", "--json"):
        assert option in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nothing",), 2, "menshen: No such command 'nothing'."),
        (("serv",), 2, "menshen: No such command 'serv'. Did you mean 'serve'?"),
        (("account", "sho"), 2, "menshen: No such command 'sho'. Did you mean 'show'?"),
        (("app", "list", "--nope"), 2, "menshen: No such option '--nope'."),
        (("app", "list", "more"), 2, "menshen: Got unexpected extra argument"),
        (
            ("serve", "--port", "99999"),
            2,
            "menshen: Invalid value for '--port': 99999 is not in the range 0<=x<=65535.",
        ),
        (("app", "set", "default", "--captcha", "no"), 2, "menshen: Invalid value for '--captcha': 'no' is not one of"),
        (("account", "show"), 2, "menshen: Missing argument 'IDENTIFIER'."),
        (("account", "show", "nobody"), 1, "menshen: there is no account nobody"),
        (("account", "show", "no\nbo\u202edy"), 1, "menshen: there is no account no\\nbo\\u202edy"),
        (("account", "show", "\udcff\x1b[2J"), 1, "menshen: there is no account \\udcff\\x1b[2J"),
        (("app", "show", "shop"), 1, "menshen: there is no app shop"),
        (("app", "show", "a\nb"), 1, "menshen: there is no app a\\nb"),
        (("no\nsuch",), 2, "menshen: No such command 'no\\nsuch'"),
        (("restore", "a\nb.db"), 1, "menshen: there is no backup at a\\nb.db"),
        (("outbox", "--to", "12"), 1, "menshen: 12 is no phone number and no email"),
        (("restore", "none.db"), 1, "menshen: there is no backup at none.db"),
        (("serve", "--host", "0.0.0.0"), 1, "menshen: [sms] sender: outbox keeps codes"),
        (
            ("serve", "--host", "127.0.0.1", "--config", "none.toml"),
            1,
            "menshen: cannot read the settings file none.toml",
        ),
    ],
)
def test_a_refusal_is_one_sentence_on_stderr(
    menshen: Menshen, arguments: tuple[str, ...], code: int, told: str
) -> None:
    menshen("migrate")
    done = menshen(*arguments)
    assert done.code == code
    assert done.err.startswith(told)
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_without_a_command_help_is_shown(menshen: Menshen) -> None:
    done = menshen(data=None)
    assert done.code == 2
    assert "serve" in done.err


def test_a_wrong_setting_refuses_every_command(menshen: Menshen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENSHEN_SERVER__PROT", "1")
    done = menshen("app", "list")
    assert (done.code, done.err) == (1, "menshen: [server] has no key prot; did you mean port?\n")


def test_a_fault_of_the_program_is_a_sentence_too(menshen: Menshen, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("canary")

    # Patched: a command is called by its words and takes no ports, and no fault of it is known.
    monkeypatch.setattr(menshen_outbox, "with_installation", broken)
    done = menshen("outbox")
    assert done.code == 1
    assert done.err.startswith("menshen: a fault of the program, please report it: LookupError in ")
    assert "canary" not in done.err


menshen_outbox = menshen.cli.outbox


def test_what_is_made_is_its_owners_alone(menshen: Menshen, data: Path) -> None:
    assert menshen("migrate").code == 0
    assert menshen("app", "list").code == 0
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    assert {"keys.toml", "menshen.db"} <= set(files)
    assert set(files.values()) == {0o600}


def test_a_database_that_was_copied_in_is_made_private(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    (data / "menshen.db").chmod(0o644)
    menshen("app", "list")
    assert stat.S_IMODE((data / "menshen.db").stat().st_mode) == 0o600


def test_keys_that_others_can_read_refuse(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    (data / "keys.toml").chmod(0o640)
    done = menshen("app", "list")
    assert done.code == 1
    assert "can be read by others" in done.err


def test_a_database_without_its_keys_refuses_and_makes_none(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    (data / "keys.toml").rename(data / "elsewhere")
    for command in (("app", "list"), ("migrate",), ("account", "add", "--username", "alice")):
        done = menshen(*command)
        assert done.code == 1
        assert "its keys do not" in done.err
    assert not (data / "keys.toml").exists()
    (data / "elsewhere").rename(data / "keys.toml")
    assert menshen("app", "list").code == 0


def test_a_database_with_other_keys_refuses(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("app", "add", "shop")
    menshen("app", "add", "shop", data=tmp_path / "other")
    (tmp_path / "other" / "keys.toml").replace(data / "keys.toml")
    done = menshen("app", "list")
    assert done.code == 1
    assert "made with other keys" in done.err


def test_a_data_directory_that_cannot_be_made_is_told(menshen: Menshen, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = menshen("migrate", data=tmp_path / "file" / "data")
    assert done.code == 1
    assert "cannot make the data directory" in done.err


def test_a_database_elsewhere_needs_its_folder(
    menshen: Menshen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENSHEN_STORAGE__URL", f"sqlite:///{tmp_path}/far/menshen.db")
    assert "far does not exist" in menshen("app", "list").err
    (tmp_path / "far").mkdir()
    assert menshen("migrate").code == 0
    assert menshen("app", "list").code == 0
    assert (tmp_path / "far" / "menshen.db").exists()


def test_no_database_is_opened_that_is_none(menshen: Menshen, data: Path) -> None:
    menshen("migrate")
    (data / "menshen.db").write_bytes(b"not a database at all" * 1000)
    for suffix in ("-wal", "-shm"):
        (data / f"menshen.db{suffix}").unlink(missing_ok=True)
    done = menshen("app", "list")
    assert done.code == 1
    assert done.err.startswith("menshen: the database cannot be used now: ")


def test_a_newer_database_is_refused(menshen: Menshen, data: Path) -> None:
    import sqlite3
    from contextlib import closing

    menshen("migrate")
    with closing(sqlite3.connect(data / "menshen.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE installation SET oldest_program = '9999'")
        connection.commit()
    done = menshen("app", "list")
    assert done.code == 1
    assert "9999" in done.err
    assert "error" in menshen("check").err or menshen("check").code == 1
