"""Compare the Chinese pages with the program and with README.md, so that neither moves on alone."""

import json
import re
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import yaml

from menshen.app.settings.reader import Settings
from menshen.cli import cli
from menshen.core.delivery.messages import Template
from menshen.wire.careyshop import problems as shop_problems
from menshen.wire.careyshop.methods import METHODS
from menshen.wire.weidu import ROUTES
from menshen.wire.weidu.problems import TABLE, WIRE_RULES
from tests.architecture.papers import ROOT, Row, links_in, names_in, tables, text_of, without_fences

FOLDER = "docs/zh"
PAGES = sorted(f"{FOLDER}/{path.name}" for path in (ROOT / FOLDER).glob("*.md"))
WEIDU = f"{FOLDER}/weidu-api.md"
SHOP = f"{FOLDER}/careyshop-api.md"
SMS = f"{FOLDER}/sms.md"
OPERATIONS = f"{FOLDER}/operations.md"

_ROUTE = re.compile(r"(?:GET|POST|PUT|DELETE) /users/\S+")
_METHOD = re.compile(r"[a-z]+\.[a-z]+\.[a-z]+(?:\.[a-z]+)?")
_SETTING = re.compile(r"\[(\w+)\] (\w+)")
_COMMAND = re.compile(r"(?<![\w./-])menshen ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?(?![\w.-])")
_COMMENT = re.compile(r"(?:^|\s+)#.*")


def rows_of(page: str, *columns: str) -> list[Row]:
    """Collect the rows of every table of a page that begins with these columns."""
    return [row for table in tables(text_of(page)) for row in table if [*row][: len(columns)] == [*columns]]


def plain(cell: str) -> str:
    """Give a cell without its backticks."""
    return cell.strip("`")


def fences_of(text: str) -> list[str]:
    """Give the bodies of the fenced blocks."""
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def defaults() -> dict[str, dict[str, Any]]:
    """Give the default of every key, by section."""
    made = json.loads(msgspec.json.encode(Settings(data_dir=Path("data")), enc_hook=str))
    return {name: keys for name, keys in made.items() if isinstance(keys, dict)}


def test_the_index_leads_to_each_page() -> None:
    linked = {f"{FOLDER}/{link}" for link in links_in(text_of(f"{FOLDER}/README.md"))}
    assert set(PAGES) - {f"{FOLDER}/README.md"} <= linked


def test_each_weidu_route_stands_in_its_page_and_no_other() -> None:
    told = {name for name in names_in(without_fences(text_of(WEIDU))) if _ROUTE.fullmatch(name)}
    assert told == {f"{route.verb} {route.path}" for route in ROUTES}


def test_each_error_word_of_weidu_has_its_status_and_what_a_client_does() -> None:
    rows = rows_of(WEIDU, "error", "code")
    assert {(plain(row["error"]), int(row["code"])) for row in rows} == {
        (rule.word, rule.status) for rule in [*TABLE.values(), *WIRE_RULES]
    }
    assert all(row["客户端处理"] for row in rows)


def test_each_method_of_careyshop_stands_in_its_page_and_no_other() -> None:
    told = {name for name in names_in(without_fences(text_of(SHOP))) if _METHOD.fullmatch(name)}
    assert told == {method.name for method in METHODS}


def test_the_table_of_methods_says_which_controller_app_and_token_each_needs() -> None:
    rows = rows_of(SHOP, "方法", "控制器")
    told = {
        (name, row["控制器"], row["appkey"] == "必需", row["token 与签名"] == "必需")
        for row in rows
        for name in names_in(row["方法"])
    }
    assert told == {(method.name, method.controller, method.app, method.sign) for method in METHODS}


def test_each_text_of_a_careyshop_refusal_stands_in_its_table() -> None:
    told = {name for row in rows_of(SHOP, "message") for name in names_in(row["message"])}
    assert {text for _, text in shop_problems.TABLE.values()} <= told
    assert {str(status) for status, _ in shop_problems.TABLE.values()} <= {
        row["status"] for row in rows_of(SHOP, "status")
    }


def test_each_template_of_a_message_stands_in_the_page_about_sms() -> None:
    assert [plain(row["模板"]) for row in rows_of(SMS, "模板")] == [template.value for template in Template]


def test_each_default_in_the_page_about_sms_is_that_of_the_program() -> None:
    rows = rows_of(SMS, "键", "默认")
    assert rows
    limits = defaults()["limits"]
    assert {plain(row["键"]): int(row["默认"]) for row in rows}.items() <= limits.items()


def test_each_alert_stands_in_the_page_for_operators() -> None:
    rules = yaml.safe_load(text_of("deploy/prometheus-alerts.yaml"))
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    assert [plain(row["告警"]) for row in rows_of(OPERATIONS, "告警")] == alerts


@pytest.mark.parametrize("page", [*PAGES, "README.zh.md"])
def test_each_setting_that_a_page_names_exists(page: str) -> None:
    known = defaults()
    text = without_fences(text_of(page))
    told = {found for name in names_in(text) for found in _SETTING.findall(name)}
    assert [f"[{name}] {key}" for name, key in sorted(told) if key not in known.get(name, {})] == []


@pytest.mark.parametrize("page", [*PAGES, "README.zh.md"])
def test_each_command_that_a_page_names_exists(page: str) -> None:
    text = text_of(page)
    context = click.Context(cli)
    unknown = []
    for code in [*fences_of(text), *names_in(without_fences(text))]:
        for first, second in _COMMAND.findall(code):
            family = cli.get_command(context, first)
            if family is None or (isinstance(family, click.Group) and second not in family.commands):
                unknown.append(f"menshen {first} {second}")
    assert unknown == []


def commands_in(text: str) -> list[list[str]]:
    """Give the fenced blocks line by line, without comments and blank lines."""
    return [
        [line for raw in block.splitlines() if (line := _COMMENT.sub("", raw).rstrip())] for block in fences_of(text)
    ]


def test_both_readmes_show_the_same_commands_and_lead_to_the_same_pages() -> None:
    english, chinese = text_of("README.md"), text_of("README.zh.md")
    assert commands_in(chinese) == commands_in(english)
    assert set(links_in(english)) - {"README.zh.md"} <= set(links_in(chinese))
    assert chinese.count("\n## ") == english.count("\n## ")
