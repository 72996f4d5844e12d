"""`menshen app pages`."""

from __future__ import annotations

import json
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from menshen.core.pages.settings import PageSettings
from tests.cli.conftest import Menshen

pytestmark = pytest.mark.usefixtures("made")

CONSENT = {"id": "minors", "version": "1", "text_zh": "同意", "text_en": "", "url": "", "required": True}
EVERY_FIELD: dict[str, tuple[tuple[str, ...], Any]] = {
    "on": (("--off",), False),
    "session": (("--session", "cookies"), "cookies"),
    "page_origins": (
        ("--origin", "https://Shop.example", "--origin", "http://localhost:3000"),
        ["https://shop.example", "http://localhost:3000"],
    ),
    "ways": (("--ways", "password, sms password"), ["password", "sms"]),
    "display_name_zh": (("--display-name-zh", "微店"), "微店"),
    "display_name_en": (("--display-name-en", "Shop"), "Shop"),
    "slogan_zh": (("--slogan-zh", "好"), "好"),
    "slogan_en": (("--slogan-en", "Good"), "Good"),
    "terms_url": (("--terms-url", "https://shop.example/t"), "https://shop.example/t"),
    "privacy_url": (("--privacy-url", "https://shop.example/p"), "https://shop.example/p"),
    "help_url": (("--help-url", "https://shop.example/h"), "https://shop.example/h"),
    "terms_version": (("--terms-version", "2024.7"), "2024.7"),
    "consents": (("--consents", json.dumps([CONSENT])), [CONSENT]),
    "signup_password": (("--signup-password", "required"), "required"),
    "signup_fields": (("--signup-fields", "city nickname"), ["city", "nickname"]),
    "brand": (("--brand", "#07C160"), "#07c160"),
    "corner": (("--corner", "round"), "round"),
    "layout": (("--layout", "card"), "card"),
    "icp": (("--icp", "沪ICP备12345678号"), "沪ICP备12345678号"),
    "icp_url": (("--icp-url", "https://beian.miit.gov.cn/"), "https://beian.miit.gov.cn/"),
    "police": (("--police", "沪公网安备 31010102000001号"), "沪公网安备 31010102000001号"),
    "police_url": (("--police-url", "https://beian.mps.gov.cn/"), "https://beian.mps.gov.cn/"),
    "footer_zh": (("--footer-zh", "© 微店"), "© 微店"),
    "footer_en": (("--footer-en", "© Shop"), "© Shop"),
    "default_language": (("--default-language", "en"), "en"),
    "default_theme": (("--default-theme", "dark"), "dark"),
    "closing_days": (("--closing-days", "30"), 30),
}


def shown(menshen: Menshen, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = menshen("app", "pages", "default", "--json", *options).json()
    return found


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    out = BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    (tmp_path / "logo.png").write_bytes(out.getvalue())
    return tmp_path / "logo.png"


def test_every_field_can_be_given() -> None:
    assert set(EVERY_FIELD) == {field.name for field in fields(PageSettings)} - {"logo_light", "logo_dark"}


def test_without_options_it_shows_all_that_is_in_force(menshen: Menshen) -> None:
    found = shown(menshen)
    assert [*found] == ["app", *(field.name for field in fields(PageSettings)), "brand_on_light", "brand_on_dark"]
    assert (found["app"], found["on"], found["ways"]) == ("default", True, ["sms", "password", "email", "passkey"])
    lines = menshen("app", "pages", "default").out.splitlines()
    assert [line.split()[0] for line in lines] == [*found]
    assert "ways              sms password email passkey" in lines
    assert shown(menshen) == found


@pytest.mark.parametrize("field", EVERY_FIELD)
def test_an_option_changes_its_field_and_nothing_else(menshen: Menshen, field: str) -> None:
    before = shown(menshen)
    options, expected = EVERY_FIELD[field]
    after = shown(menshen, *options)
    changed = {name for name in after if after[name] != before[name]} - {"brand_on_light", "brand_on_dark"}
    assert (changed, after[field]) == ({field}, expected)
    assert shown(menshen) == after


@pytest.mark.parametrize("field", [name for name, (options, _) in EVERY_FIELD.items() if len(options) > 1])
def test_what_may_be_empty_is_taken_away_again(menshen: Menshen, field: str) -> None:
    default = shown(menshen)[field]
    option = EVERY_FIELD[field][0][0]
    if default not in ("", []):
        assert menshen("app", "pages", "default", option, "").code != 0
        return
    shown(menshen, *EVERY_FIELD[field][0])
    assert shown(menshen, option, "")[field] == default


def test_consents_are_shown_as_they_are_given(menshen: Menshen) -> None:
    menshen("app", "pages", "default", *EVERY_FIELD["consents"][0])
    (line,) = [each for each in menshen("app", "pages", "default").out.splitlines() if each.startswith("consents")]
    assert json.loads(line.split(maxsplit=1)[1]) == [CONSENT]


def test_a_colour_that_was_changed_is_told(menshen: Menshen) -> None:
    done = menshen("app", "pages", "default", "--brand", "#ffcc00")
    assert done.code == 0
    assert done.err == "#ffcc00 is hard to read on a light ground: the pages show #856a00 there\n"
    done = menshen("app", "pages", "default", "--brand", "#ffcc00", "--json")
    assert done.err == ""
    assert (done.json()["brand_on_light"], done.json()["brand_on_dark"]) == ("#856a00", "#ffcc00")
    assert "light" not in menshen("app", "pages", "default", "--brand", "#000000").err
    assert menshen("app", "pages", "default").err == ""


def test_a_logo_comes_and_goes(menshen: Menshen, logo: Path) -> None:
    first = shown(menshen, "--logo-light", str(logo), "--icp", "x")
    assert len(first["logo_light"]) == 64
    assert (first["logo_dark"], first["icp"]) == ("", "x")
    assert shown(menshen, "--logo-dark", str(logo))["logo_dark"] == first["logo_light"]
    assert shown(menshen, "--logo-light", "", "--logo-dark", "")["logo_light"] == ""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--brand", "red"), "brand must be a colour such as #2c4a9e"),
        (("--ways", "sms telepathy"), "words of these, and not the passkey alone: sms password email passkey"),
        (("--ways", "passkey"), "app default: ways must be words of these"),
        (("--ways", ""), "app default: ways must be words of these"),
        (("--origin", "http://shop.example"), "app default: origin must be at most 20 origins"),
        (("--origin", "https://shop.example/"), "without a path"),
        (("--terms-url", "http://shop.example"), "app default: terms-url must be an https address"),
        (("--slogan-zh", "x" * 121), "slogan-zh must be one line of at most 120 characters"),
        (("--slogan-en", "a\nb"), "slogan-en must be one line"),
        (("--default-language", "fr"), "default-language must be zh-CN or en"),
        (("--signup-fields", "phone"), "signup-fields must be words of these: nickname gender"),
        (("--terms-version", "a b"), "terms-version must be"),
        (("--consents", "{"), "consents must be a JSON list"),
        (("--consents", '[{"id": "a"}]'), "consents must be a JSON list"),
        (("--consents", '[{"id": "a", "version": "1", "text_zh": "x", "html": "x"}]'), "consents must be a JSON list"),
        (("--consents", '[{"id": "a", "version": "1"}]'), "app default: consents must be a JSON list"),
        (("--logo-light", "nowhere.png"), "cannot read nowhere.png: No such file"),
        (("--logo-dark", __file__), "logo-dark must be a PNG, JPEG or WebP of at most 64 KB"),
    ],
)
def test_a_refusal_says_what_is_wanted_and_changes_nothing(
    menshen: Menshen, options: tuple[str, ...], told: str
) -> None:
    before = shown(menshen)
    done = menshen("app", "pages", "default", "--icp", "x", *options)
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert len(done.err.splitlines()) == 1
    assert shown(menshen) == before


def test_an_empty_file_and_a_folder_are_no_logo(menshen: Menshen, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert "is empty" in menshen("app", "pages", "default", "--logo-light", str(tmp_path / "empty")).err
    assert "cannot read" in menshen("app", "pages", "default", "--logo-light", str(tmp_path)).err


def test_an_app_that_is_not_there(menshen: Menshen) -> None:
    for options in ((), ("--on",)):
        done = menshen("app", "pages", "nobody", *options)
        assert (done.code, done.err) == (1, "menshen: there is no app nobody\n")


def test_the_commands_on_apps_say_who_has_pages(menshen: Menshen) -> None:
    assert menshen("app", "add", "shop", "--json").json()["pages"] is False
    assert menshen("app", "show", "default", "--json").json()["pages"] is True
    assert {each["name"]: each["pages"] for each in menshen("app", "list", "--json").json()} == {
        "default": True,
        "shop": False,
    }
    shown_ = menshen("app", "list").out.splitlines()
    assert [line.split()[-2] for line in shown_] == ["pages", "yes", "no"]
    menshen("app", "pages", "shop", "--on")
    assert menshen("app", "set", "shop", "--hardened", "--json").json()["pages"] is True


def test_check_warns_of_pages(menshen: Menshen) -> None:
    assert "no warnings" in menshen("check").out
    menshen("app", "pages", "default", "--brand", "#ffffff", "--terms-url", "https://shop.example/t")
    out = menshen("check").out
    assert "app default: has the brand #ffffff" in out
    assert "without a terms-version" in out
    menshen("app", "pages", "default", "--off")
    assert "no warnings" in menshen("check").out


def test_a_change_is_an_event_with_the_names_of_its_fields(menshen: Menshen) -> None:
    menshen("app", "pages", "default", "--icp", "SECRET", "--off")
    (event,) = [each for each in menshen("audit", "--json").json() if each["event"] == "app.changed"]
    assert event["reason"] == "pages.icp,pages.on"
    assert "SECRET" not in json.dumps(event)
