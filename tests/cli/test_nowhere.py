"""Commands pointed at a folder that holds nothing: who may make an installation there, and who must not."""

from pathlib import Path

import pytest

from tests.cli.conftest import Menshen

READERS = [
    ("app", "list"),
    ("app", "show", "default"),
    ("app", "set", "default", "--hardened"),
    ("app", "rotate-secret", "default"),
    ("app", "disable", "default"),
    ("app", "enable", "default"),
    ("account", "show", "alice"),
    ("account", "disable", "alice"),
    ("account", "enable", "alice"),
    ("account", "delete", "alice", "--yes"),
    ("account", "export", "alice"),
    ("account", "reset-password", "alice"),
    ("account", "sessions", "alice"),
    ("account", "risk", "alice"),
    ("outbox",),
    ("sms", "list"),
    ("sms", "test", "--to", "13800138001"),
    ("sms", "receipt", "1"),
    ("sms-report",),
    ("audit",),
    ("backup", "copy.db"),
    ("copy", "--to", "postgresql://127.0.0.1:1/none"),
    ("epoch", "raise"),
    ("keys", "rotate"),
]
MAKERS = [("migrate",), ("app", "add", "shop"), ("account", "add", "--username", "alice")]


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_what_reads_or_changes_makes_nothing(menshen: Menshen, tmp_path: Path, command: tuple[str, ...]) -> None:
    mistyped = tmp_path / "mistyped"
    done = menshen(*command, data=mistyped)
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert str(mistyped) in done.err
    assert not mistyped.exists()
    # Nor in a folder that holds something else.
    mistyped.mkdir()
    (mistyped / "notes.txt").write_text("mine")
    assert menshen(*command, data=mistyped).code == 1
    assert [path.name for path in mistyped.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("command", MAKERS, ids=" ".join)
def test_what_brings_something_in_makes_an_installation(menshen: Menshen, data: Path, command: tuple[str, ...]) -> None:
    assert menshen(*command).code == 0
    assert (data / "menshen.db").exists()
    assert menshen("app", "show", "default").code == 0


@pytest.mark.parametrize("command", [*READERS, *MAKERS, ("check",), ("restore", "x.db"), ("serve",)], ids=" ".join)
def test_an_empty_name_is_no_folder(
    menshen: Menshen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = menshen(*command, "--data", "", data=None)
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == "menshen: Invalid value for '--data' (env var: 'MENSHEN_DATA'): the name of a directory is needed\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_check_of_nothing_says_so_and_does_not_keep_a_first_start_back(menshen: Menshen, tmp_path: Path) -> None:
    done = menshen("check", data=tmp_path / "new")
    assert done.code == 0
    assert f"there is no installation in {tmp_path / 'new'}" in done.out
    assert not (tmp_path / "new").exists()


def test_a_restore_without_its_keys_leaves_no_folder(menshen: Menshen, tmp_path: Path) -> None:
    menshen("migrate")
    menshen("backup", str(tmp_path / "copy.db"))
    for file in ("copy.db", "none.db"):
        assert menshen("restore", str(tmp_path / file), data=tmp_path / "mistyped").code == 1
    assert not (tmp_path / "mistyped").exists()


def test_a_folder_with_a_line_break_is_refused_in_one_line(menshen: Menshen, tmp_path: Path) -> None:
    done = menshen("outbox", data=tmp_path / "a\nb\x1b[2J\u202e")
    assert done.code == 1
    assert done.err.startswith(f"menshen: there is no installation in {tmp_path}/a\\nb\\x1b[2J\\u202e; ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", [("outbox",), ("keys", "rotate"), ("epoch", "raise")], ids=" ".join)
def test_on_postgresql_no_keys_mean_no_installation(
    menshen: Menshen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """New keys in a mistyped folder would open nothing of the database that the settings name."""
    monkeypatch.setenv("MENSHEN_STORAGE__URL", "postgresql://127.0.0.1:1/none")
    done = menshen(*command, data=tmp_path / "mistyped")
    assert done.code == 1
    assert f"{tmp_path / 'mistyped' / 'keys.toml'} is missing" in done.err
    assert not (tmp_path / "mistyped").exists()
