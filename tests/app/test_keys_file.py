"""keys.toml: made once, kept private, rotated without locking anybody out."""

import multiprocessing
import os
import tomllib
from pathlib import Path

import pytest

from menshen.app.installation.inspection import inspect
from menshen.app.keys_file import keyring_for, load_keyring, load_or_create_keyring, rotate
from menshen.app.settings.checks import find_problems
from menshen.app.settings.reader import SettingsError, load_settings
from menshen.app.world import SystemWorld
from menshen.core.findings import Severity
from menshen.core.keys import Use

WORLD = SystemWorld()
GOOD = f'[[keys]]\nid = "a"\nsecret = "{"0f" * 32}"\n\n[index]\nsecret = "{"f0" * 32}"\n'


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_it_is_made_at_the_first_start_and_read_at_the_second(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    first = load_or_create_keyring(path, WORLD)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_keyring(path, WORLD) == first
    assert len(first.current.secret) == 32
    assert first.current.secret != first.index.secret
    assert sorted(p.name for p in tmp_path.iterdir()) == ["keys.toml"]


def test_two_installations_share_nothing(tmp_path: Path) -> None:
    one = load_or_create_keyring(tmp_path / "one.toml", WORLD)
    two = load_or_create_keyring(tmp_path / "two.toml", WORLD)
    assert one.current.secret != two.current.secret
    assert one.index.secret != two.index.secret


def _race(path: Path, barrier: object, found: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    found.put(load_or_create_keyring(path, WORLD).current.secret)  # type: ignore[attr-defined]


def test_processes_that_start_together_end_with_one_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, found = context.Barrier(6), context.Queue()
    racers = [context.Process(target=_race, args=(tmp_path / "keys.toml", barrier, found)) for _ in range(6)]
    for racer in racers:
        racer.start()
    secrets = {found.get(timeout=60) for _ in racers}
    for racer in racers:
        racer.join(60)
    assert secrets == {load_keyring(tmp_path / "keys.toml").current.secret}


@pytest.mark.attack("LG-5")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsError, match=r"can be read by others than its owner.* \[keys\] content_file"):
        load_keyring(written(tmp_path / "keys.toml", GOOD, mode))


@pytest.mark.attack("LG-9")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(("mode", "whose"), [(0o440, 4321), (0o460, None), (0o444, None), (0o442, None), (0o450, None)])
def test_a_mounted_file_of_another_group_or_that_others_can_use_is_refused(
    tmp_path: Path, mode: int, whose: int | None
) -> None:
    path = written(tmp_path / "keys.toml", GOOD, mode)
    os.chown(path, 65534, os.getegid() if whose is None else whose)
    with pytest.raises(SettingsError, match=r"can be read by others than its owner.* \[keys\] content_file"):
        load_keyring(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_a_file_that_a_platform_mounts_for_our_group_is_accepted_with_a_note(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.toml", GOOD, 0o440)
    os.chown(path, 65534, os.getegid())
    assert load_keyring(path).current.key_id == "a"
    settings = load_settings(None, {"MENSHEN_KEYS__FILE": str(path)}, tmp_path)
    told = [(f.severity, f.key, f.text) for f in await inspect(settings, WORLD) if f.key == "[keys]"]
    note = f"{path} can be read by its group, which is one of this process's: give it no other members"
    assert told == [(Severity.WARNING, "[keys]", note)]


def test_content_file_is_the_way_for_a_mount_whose_mode_is_fixed(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.toml", GOOD, 0o444)
    settings = load_settings(None, {"MENSHEN_KEYS__CONTENT_FILE": str(path)}, tmp_path)
    assert keyring_for(settings, WORLD).current.key_id == "a"
    assert [str(note) for note in find_problems(settings, WORLD.now())] == [
        f"[keys] content_file: {path} can be read by others than its owner"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold"),
        ("not toml", "is not TOML"),
        (GOOD + "[more]\n", "nothing else"),
        (GOOD.partition("[index]")[0], "must hold"),
        ("[index]\nsecret = 'f0'\n[[keys]]\nid='a'\nsecret='f0'\n", "shorter than 32 bytes"),
        (GOOD.replace("0f", "xx"), "is not hex"),
        (GOOD.replace('"a"', '"A b"'), "needs an id"),
        (GOOD.replace('secret = "0f', 'hidden = "0f'), "is not hex"),
        (GOOD.replace('id = "a"', "id = 1"), "needs an id"),
        (GOOD.partition("[index]")[0] + GOOD, "each under an id of its own"),
        (GOOD.replace("[[keys]]", "[keys]"), "must hold"),
    ],
)
def test_a_malformed_file_is_refused_without_telling_secrets(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_keyring(written(tmp_path / "keys.toml", text))
    assert told in str(refused.value)
    assert "0f0f" not in str(refused.value)
    assert "f0f0" not in str(refused.value)


def test_a_missing_folder_and_an_unreadable_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot open the folder of"):
        load_or_create_keyring(tmp_path / "none" / "keys.toml", WORLD)
    (tmp_path / "keys.toml").mkdir()
    with pytest.raises(SettingsError, match=r"cannot read .*: Is a directory"):
        load_keyring(tmp_path / "keys.toml")


@pytest.mark.attack("LG-3")
def test_rotation_puts_a_new_key_first_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    before = load_or_create_keyring(path, WORLD)
    made = rotate(path, WORLD)
    after = load_keyring(path)
    assert after.current.key_id == made
    assert after.keys[1:] == before.keys
    assert after.index == before.index
    assert path.stat().st_mode & 0o777 == 0o600
    # What was made before is verified still; what is counted goes on being counted.
    assert before.mac(Use.CODE, "x") in after.macs(Use.CODE, "x")
    assert before.counter_key("x") == after.counter_key("x")
    assert all("created" in key for key in tomllib.loads(path.read_text())["keys"])


def test_rotation_makes_no_installation(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        rotate(tmp_path / "keys.toml", WORLD)


def test_a_rest_of_a_killed_write_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".keys.toml.new").write_text("half")
    load_or_create_keyring(tmp_path / "keys.toml", WORLD)
    assert [p.name for p in tmp_path.iterdir()] == ["keys.toml"]


def test_nodes_can_share_keys_by_path_and_by_text(tmp_path: Path) -> None:
    shared = written(tmp_path / "shared.toml", GOOD)
    by_path = load_settings(None, {"MENSHEN_KEYS__FILE": str(shared)}, tmp_path / "a")
    by_text = load_settings(None, {"MENSHEN_KEYS__CONTENT": GOOD}, tmp_path / "b")
    assert keyring_for(by_path, WORLD) == keyring_for(by_text, WORLD)
    assert not (tmp_path / "b").exists()
