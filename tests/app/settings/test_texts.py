"""`[texts]`: what a start refuses, and what `menshen check` warns of."""

from __future__ import annotations

from pathlib import Path

import pytest

from menshen.app.settings.checks import find_app_problems, find_problems, refuse_contradictions
from menshen.app.settings.reader import Settings, SettingsError, load_settings
from menshen.app.settings.texts import texts_of
from menshen.core.apps import App
from menshen.core.findings import Severity
from menshen.core.time import Instant

NOW = Instant(1_795_219_200_000)


def load(tmp_path: Path, text: str, **files: str) -> Settings:
    (tmp_path / "texts").mkdir()
    for name, content in files.items():
        (tmp_path / "texts" / f"{name.replace('__', '.')}.toml").write_text(content, "utf-8")
    (tmp_path / "menshen.toml").write_text(text, "utf-8")
    return load_settings(tmp_path / "menshen.toml", {}, tmp_path / "data")


def warnings(settings: Settings) -> list[str]:
    return [str(finding) for finding in find_problems(settings, NOW) if finding.key.startswith("[texts]")]


def test_nothing_is_said_about_the_texts_of_the_program(tmp_path: Path) -> None:
    assert warnings(load(tmp_path, "[sms]\ncountries = ['+86', '+1', '+44']\n")) == []


def test_the_folder_begins_at_that_of_the_settings_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "[texts]\nfolder = 'texts'\n", shop__en="[sms]\ncode_login = '{code}'")
    assert texts_of(settings).apps == ["shop"]


def test_a_fault_refuses_the_start_and_names_file_and_key(tmp_path: Path) -> None:
    settings = load(tmp_path, "[texts]\nfolder = 'texts'\n", en="[sms]\ncode_login = 'Hello'")
    with pytest.raises(SettingsError, match=r"texts/en\.toml \[sms\] code_login: has no \{code\}"):
        refuse_contradictions(settings, NOW)


@pytest.mark.parametrize(("product", "refused"), [("Door", False), ("a\\nb", True), ("x" * 41, True)])
def test_a_product_is_short_and_one_line(tmp_path: Path, product: str, refused: bool) -> None:
    found = find_problems(load(tmp_path, f'[texts]\nproduct = "{product}"\n'), NOW)
    assert [f.key for f in found if f.severity is Severity.ERROR] == (["[texts] product"] if refused else [])


def test_english_with_a_chinese_signature_takes_two_parts_and_is_told_once(tmp_path: Path) -> None:
    (told,) = warnings(load(tmp_path, "[texts]\nproduct = 'Door'\n"))
    assert told.startswith("[texts] all apps en: code_login, code_signup")
    assert "identifier_changed to +86 has" in told
    assert "which is 2 parts. One part holds 70 in UCS-2" in told


def test_no_signature_and_no_warning_where_no_code_goes_to_the_mainland(tmp_path: Path) -> None:
    assert warnings(load(tmp_path, "[texts]\nproduct = 'Door'\n[sms]\ncountries = ['+44']\n")) == []


@pytest.mark.parametrize(("length", "told"), [(64, 0), (65, 1)])
def test_the_length_is_that_of_the_text_with_its_code(tmp_path: Path, length: int, told: int) -> None:
    chinese = f"[sms]\ncode_login = '{{code}}{'中' * length}'"
    settings = load(tmp_path, "[texts]\nfolder = 'texts'\n", **{"zh-CN": chinese})
    found = warnings(settings)
    assert len(found) == told
    assert all("has 71 characters, which is 2 parts" in one for one in found)


def test_an_app_is_told_only_of_texts_of_its_own(tmp_path: Path) -> None:
    long = "[sms]\ncode_login = '{code}" + "x" * 200 + "'"
    longer = "[sms]\ncode_login = '{code}" + "x" * 400 + "'"
    settings = load(
        tmp_path, "[texts]\nfolder = 'texts'\n", en=long, a__en="[sms]\ncode_reset = '{code}'", b__en=longer
    )
    assert [told.partition(":")[0] for told in warnings(settings)] == ["[texts] all apps en", "[texts] b en"]


def test_texts_of_an_app_that_is_not_there_are_told(tmp_path: Path) -> None:
    text = "[sms]\ncode_login = '{code}'"
    settings = load(tmp_path, "[texts]\nfolder = 'texts'\n", en=text, shop__en=text, spare__en=text)
    found = find_app_problems(settings, [App(1, "default", "1", "s"), App(2, "shop", "2", "s", disabled=True)])
    assert [str(one) for one in found if one.key == "[texts] folder"] == [
        "[texts] folder: has texts of the app spare, and there is no such app"
    ]
