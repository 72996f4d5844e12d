"""The pages about text messages show settings that a server takes, and name the keys that there are."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.texts import read_texts
from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.app.settings.checks import find_problems
from menshen.app.settings.reader import load_settings
from menshen.app.settings.sections.sms import SenderKeys
from menshen.app.settings.shapes import keys_of
from menshen.core.delivery.messages import Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Severity
from menshen.core.time import Instant
from menshen.texts.reader import LANGUAGES
from tests.architecture.papers import names_in as named_in
from tests.architecture.papers import tables, text_of

ENGLISH, CHINESE = "docs/operate/sms.md", "docs/zh/sms.md"
PAGES = [ENGLISH, CHINESE, "docs/operate/sms-webhook.md", "docs/zh/sms-webhook.md"]
TYPES = [name for name in names_in(PACKAGES["sms"]) if name != "specimen"]
NOW = Instant(1_795_219_200_000)


def blocks_in(page: str) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE)


def examples_of(page: str) -> list[str]:
    return [block for block in blocks_in(page) if "[[sms.senders]]" in block]


def type_of(example: str) -> str:
    (table,) = tomllib.loads(example)["sms"]["senders"]
    return str(table["type"])


def filled(example: str) -> str:
    """An example with something in the place of each key that a reader has to look up."""
    return example.replace('"AC…"', f'"AC{"0" * 32}"').replace("…", "x")


def rows_of(page: str, head: str) -> list[dict[str, str]]:
    return [row for table in tables(text_of(page)) for row in table if next(iter(row)) == head]


@pytest.mark.parametrize("page", PAGES[:2])
def test_the_page_shows_each_way_to_begin(page: str) -> None:
    assert [type_of(example) for example in examples_of(page)] == ["aliyun", "aliyun_pnvs", "tencent", "twilio"]


def problems_of(example: str, folder: Path) -> list[str]:
    for name in re.findall(r'_file = "([^"]+)"', example):
        (folder / name).write_text("0123456789abcdef\n", "utf-8")
        (folder / name).chmod(0o600)
    (folder / "menshen.toml").write_text(filled(example), "utf-8")
    settings = load_settings(folder / "menshen.toml", {}, folder)
    return [str(found) for found in find_problems(settings, NOW) if found.severity is Severity.ERROR]


@pytest.mark.parametrize(("page", "example"), [(page, one) for page in PAGES for one in examples_of(page)])
def test_each_example_is_taken_as_it_stands(page: str, example: str, tmp_path: Path) -> None:
    if type_of(example) in TYPES:
        assert problems_of(example, tmp_path) == []


def test_an_example_that_is_wrong_is_found(tmp_path: Path) -> None:
    (example,) = examples_of("docs/operate/sms-webhook.md")
    assert problems_of(example.replace("https", "http"), tmp_path) != []


def texts_in(page: str) -> Iterator[tuple[str, str]]:
    for block in blocks_in(page):
        if name := re.match(r"# texts/(\S+)\n", block):
            yield name[1], block


@pytest.mark.parametrize("page", [ENGLISH, CHINESE])
def test_the_texts_of_the_page_are_good_and_are_used(page: str, tmp_path: Path) -> None:
    ((name, block),) = texts_in(page)
    (tmp_path / name).write_text(block, "utf-8")
    held = read_texts("", str(tmp_path))
    assert held.findings == ()
    changed = tomllib.loads(block)["sms"]["code_login"]
    assert changed in {
        held.texts["shop", language].get("sms.code_login") for language in LANGUAGES if ("shop", language) in held.texts
    }


def test_the_chinese_page_names_the_keys_that_all_senders_share() -> None:
    told = [key for row in rows_of(CHINESE, "共用的键") for key in named_in(row["共用的键"])]
    assert told == ["name", "type", *keys_of(SenderKeys)]


def keys_told() -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{column: named_in(cell) for column, cell in row.items()}]
        for row in rows_of(CHINESE, "类型")
        if "必填" in row
        for name in named_in(row["类型"])
    }


def test_the_chinese_page_has_each_type_with_its_own_keys() -> None:
    told = keys_told()
    assert set(TYPES) <= set(told)
    for name in TYPES:
        keys = keys_of(load_plugin(PACKAGES["sms"], name).Settings)
        (row,) = told[name]
        assert sorted([*row["必填"], *row["密钥"], *row["可选"]]) == sorted(keys), name
        assert sorted(row["密钥"]) == sorted(key.name for key in keys.values() if key.is_secret), name
        needed = {key.name for key in keys.values() if key.required and not key.is_secret}
        assert needed <= {*row["必填"]}, name


def test_the_chinese_page_has_each_verdict() -> None:
    assert [named_in(row["判定"])[0] for row in rows_of(CHINESE, "判定")] == [verdict.value for verdict in Verdict]


def test_the_english_page_has_each_message() -> None:
    told = [name for row in rows_of(ENGLISH, "message") for name in named_in(row["message"])]
    assert told == [template.value for template in Template]
