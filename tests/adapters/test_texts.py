"""Texts of an operator's folder over the built-in ones, and what is said about a folder that has faults."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from menshen.adapters.texts import read_texts
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.findings import Severity
from menshen.core.time import Instant

SMS = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", Instant(1), code="040719")
BUILT_IN = "验证码040719，用于登录，5分钟内有效。请勿告诉他人。"


def fill(folder: Path, files: Mapping[str, str]) -> str:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return str(folder)


def faults(folder: str, product: str = "") -> list[str]:
    found = read_texts(product, folder).findings
    assert all(finding.severity is Severity.ERROR for finding in found)
    return [str(finding) for finding in found]


def test_nothing_set_is_what_is_built_in() -> None:
    held = read_texts()
    assert (held.findings, held.apps) == ((), [])
    assert held.render(SMS).text == BUILT_IN
    assert held.render(replace(SMS, app="shop")).text == BUILT_IN


def test_an_app_stands_over_all_apps_and_they_over_the_program(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        {
            "zh-CN.toml": '[sms]\ncode_login = "all {code}"\ncode_reset = "all {code}"\n',
            "shop.zh-CN.toml": '[product]\nname = "Shop"\n[sms]\ncode_login = "shop {code}"\n',
            "shop.ios.en.toml": '[subject]\ncode_login = "of {product}"\n[signature]\n"+86" = ""\n',
            "README.md": "no texts",
            "en.toml~": "no texts",
        },
    )
    held = read_texts("Door", folder)
    assert (held.findings, held.apps) == ((), ["shop", "shop.ios"])

    def said(app: str, **changes: object) -> tuple[str, str]:
        words = held.render(replace(SMS, app=app, **changes))  # type: ignore[arg-type]
        return words.subject, words.text.split("\n")[-1]

    assert said("") == said("default") == said("shop.ios") == ("", "【Door】all 040719")
    assert said("shop") == ("", "【Shop】shop 040719")
    assert said("shop", template=Template.CODE_RESET) == ("", "【Shop】all 040719")
    assert said("shop", template=Template.CODE_BIND)[1].startswith("【Shop】验证码040719，用于绑定账号")
    # The other language is as it was.
    assert said("shop", language="en")[1].startswith("【Door】040719 is your code to log in")
    assert said("shop.ios", language="en")[1].startswith("040719 is your code to log in")
    mail = {"channel": Channel.EMAIL, "to": "a@b.example", "language": "en"}
    assert said("shop.ios", **mail) == ("of Door", "Door")
    assert said("shop", **mail) == ("Your code to log in", "Door")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("en.toml", "[sms]\ncode_logn = 'x'", "en.toml [sms] code_logn: is no text: there are code_login"),
        ("en.toml", "[smss]\ncode_login = 'x'", "en.toml [smss]: is no section: there are mail, product, signature"),
        ("en.toml", "sms = 'x'", "en.toml [sms]: must be a section with keys"),
        ("en.toml", "code_login = 'x'", "en.toml [code_login]: is no section"),
        ("en.toml", "[sms]\ncode_login = 4", "en.toml [sms] code_login: must be a text in quotes"),
        ("en.toml", "[sms]\ncode_login = ['x']", "en.toml [sms] code_login: must be a text in quotes"),
        ("en.toml", "[sms]\ncode_login = 'Hello'", "en.toml [sms] code_login: has no {code}"),
        ("a.en.toml", "[mail]\ncode_bind = 'Hello'", "a.en.toml [mail] code_bind: has no {code}"),
        ("en.toml", "[sms]\ncode_login = '{code} {x}'", "en.toml [sms] code_login: has {x}, and its places are {code}"),
        ("en.toml", "[subject]\ncode_login = '''a\nb'''", "en.toml [subject] code_login: has line breaks"),
        ("en.toml", "[sms]\ncode_login = '{product} {code}'", "code_login: has {product}, and the product has no name"),
        ("en.toml", "[product]\nname = ''", "en.toml [product] name: is empty"),
        ("en.toml", "[signature]\n'+1' = 'x'", "en.toml [signature] +1: is no text: there are +86"),
        ("en.toml", "[sms\n", "en.toml: is not TOML"),
        ("en.toml", "a = " + "[" * 5000, "en.toml: is not TOML"),
        ("en.toml", "#" * 300_000, "en.toml: cannot be read: it has more than 256 KiB"),
        ("zh.toml", "", "zh.toml: is no file of texts: its name ends in zh-CN.toml or en.toml"),
        ("shop.toml", "", "shop.toml: is no file of texts"),
        ("shop-en.toml", "", "shop-en.toml: is no file of texts"),
        (".en.toml", "", ".en.toml: is no file of texts"),
    ],
)
def test_a_fault_names_file_and_key_and_the_text_beneath_is_used(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    (found,) = faults(fill(tmp_path, {name: text}))
    assert found.startswith(str(tmp_path))
    assert told in found
    for app in ("", "a"):
        said = read_texts("", str(tmp_path)).render(replace(SMS, app=app, language="en")).text
        assert said == "040719 is your code to log in. It is valid for 5 minutes. Tell nobody."


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_bytes("[sms]\ncode_login = '验证码{code}'".encode("gbk"))
    assert "en.toml: is not TOML" in faults(str(tmp_path))[0]


def test_a_mark_of_byte_order_is_none_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_bytes(b"\xef\xbb\xbf[sms]\r\ncode_login = 'a {code}'\r\n")
    assert read_texts("", str(tmp_path)).render(replace(SMS, language="en")).text == "a 040719"


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "en.toml")


def _a_folder(folder: Path) -> None:
    (folder / "en.toml").mkdir()


def _lost_link(folder: Path) -> None:
    (folder / "en.toml").symlink_to(folder / "nowhere")


@pytest.mark.parametrize("make", [_pipe, _a_folder, _lost_link])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path)
    assert [found.partition("en.toml: ")[2] for found in faults(str(tmp_path))] == ["cannot be read: it is no file"]


def test_a_mounted_folder_of_links_is_read(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    fill(tmp_path / "..2026", {"en.toml": "[sms]\ncode_login = 'a {code}'"})
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "en.toml").symlink_to("..data/en.toml")
    assert faults(str(tmp_path)) == []
    assert read_texts("", str(tmp_path)).render(replace(SMS, language="en")).text == "a 040719"


@pytest.mark.parametrize("name", ["nowhere", "a\x00b", "file"])
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (found,) = faults(str(tmp_path / name))
    assert found.startswith("[texts] folder: ")
    assert "cannot be read" in found
    assert "\x00" not in found


@pytest.mark.parametrize("product", ["a\nb", "x" * 41, "{code}", "\u202e"])
def test_a_product_that_no_message_can_show_is_told_and_not_used(product: str) -> None:
    assert faults("", product)[0].startswith("[texts] product: ")
    assert read_texts(product).render(SMS).text == BUILT_IN


def test_texts_that_name_a_product_of_another_file_are_good(tmp_path: Path) -> None:
    files = {"en.toml": "[sms]\ncode_login = '{code} {product}'", "a.en.toml": "[product]\nname = 'A'"}
    # Of all apps, the others have no product.
    assert len(faults(fill(tmp_path, files))) == 1
    fill(tmp_path, {"en.toml": "[product]\nname = 'E'\n[sms]\ncode_login = '{code} {product}'"})
    assert faults(str(tmp_path)) == []
    assert read_texts("", str(tmp_path)).render(replace(SMS, app="a", language="en")).text == "【A】040719 A"


def test_a_product_with_a_fault_empties_no_text(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a.en.toml": "[product]\nname = '{x}'\n[sms]\ncode_login = '{code} {product}'"})
    assert len(faults(folder)) == 2
    assert "040719" in read_texts("", folder).render(replace(SMS, app="a", language="en")).text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(alphabet="[sm]\ncode_lgi='\"{}x\\u0", max_size=60).map(str.encode))
def test_no_bytes_of_a_file_raise(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "zh-CN.toml").write_bytes(content)
    held = read_texts("", str(tmp_path))
    assert "040719" in held.render(SMS).text
