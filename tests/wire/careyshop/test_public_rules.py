"""docs/contracts/careyshop.md section 1.3: the public parameters, each rule and their order."""

from typing import Any

import pytest

from menshen.core.time import Instant
from menshen.wire.careyshop import public_rules
from menshen.wire.careyshop.problems import Refused

NOW = Instant(1_795_219_200_000)  # 2026-11-21 08:00:00 in Shanghai


def verdict(parameters: dict[str, Any]) -> str | None:
    try:
        public_rules.check(parameters, NOW)
    except Refused as refused:
        return refused.text if refused.status == 500 else f"status {refused.status}"
    return None


WRONG_FORMAT = "format必须在 json,jsonp,xml 范围内"
CASES: list[tuple[str, Any, str | None]] = [
    ("appkey", "11111111", None),
    ("appkey", 11111111, None),
    ("appkey", "01234567", None),
    ("appkey", "abcdefgh", "appkey必须是整数"),
    ("appkey", "11111.11", "appkey必须是整数"),
    ("appkey", "+1111111", "appkey必须是整数"),
    ("appkey", "１１１１１１１１", "appkey必须是整数"),
    ("appkey", True, "appkey必须是整数"),
    ("appkey", 1.5, "appkey必须是整数"),
    ("appkey", ["11111111"], "appkey必须是整数"),
    ("appkey", "1111111", "appkey长度不符合要求 8"),
    ("appkey", "111111111", "appkey长度不符合要求 8"),
    ("token", "x" * 100, None),
    ("token", 5, None),
    ("token", "x" * 101, "token长度不能超过 100"),
    ("token", "中" * 100, None),
    ("token", ["a"], "token格式不符"),
    ("sign", "x" * 32, None),
    ("sign", "0" * 64, None),
    ("sign", "x" * 31, "sign长度不能小于 32"),
    ("sign", ["a"], "sign长度不能小于 32"),
    ("timestamp", "1795219200", None),
    ("timestamp", 1795219200, None),
    ("timestamp", "1795218600", None),
    ("timestamp", "1795219800", None),
    ("timestamp", "1795218599", "timestamp已过期"),
    ("timestamp", "1795219801", "timestamp已过期"),
    ("timestamp", "1795219200000", "timestamp已过期"),
    ("timestamp", "0", "timestamp已过期"),
    ("timestamp", "-5", "timestamp已过期"),
    ("timestamp", "9" * 19, "无效的日期格式"),
    ("timestamp", "9" * 5000, "无效的日期格式"),
    ("timestamp", "abc", "无效的日期格式"),
    ("timestamp", " 1795219200", "无效的日期格式"),
    ("timestamp", "1795219200\n", "无效的日期格式"),
    ("timestamp", "１７９５２１９２００", "无效的日期格式"),
    ("timestamp", "1795219200.5", "无效的日期格式"),
    ("timestamp", 1795219200.5, "无效的日期格式"),
    ("timestamp", 1795219200.0, None),
    ("timestamp", 1.7952192e9, None),
    ("timestamp", 2.0**53, "无效的日期格式"),
    ("timestamp", -1795219200.0, "无效的日期格式"),
    ("timestamp", True, "无效的日期格式"),
    ("timestamp", ["1795219200"], "无效的日期格式"),
    ("timestamp", "2026-11-21 08:00:00", None),
    ("timestamp", "2026-11-21 00:00:00", "timestamp已过期"),
    ("timestamp", "2026-11-21T00:00:00Z", None),
    ("timestamp", "2026-11-21T00:00:00.123Z", None),
    ("timestamp", "2026-11-21T08:00:00+08:00", None),
    ("timestamp", "2026-11-21T08:00:00", None),
    ("timestamp", "2026-11-20T19:00:00-0500", None),
    ("timestamp", "2026-13-01 00:00:00", "无效的日期格式"),
    ("timestamp", "0000-00-00 00:00:00", "无效的日期格式"),
    ("timestamp", "0001-01-01 00:00:00", "timestamp已过期"),
    ("timestamp", "2026-11-21T08:00:00+99:99", "无效的日期格式"),
    ("format", "json", None),
    ("format", "jsonp", None),
    ("format", "xml", None),
    ("format", "JSON", WRONG_FORMAT),
    ("format", "html", WRONG_FORMAT),
    ("format", ["xml"], WRONG_FORMAT),
    ("method", "m" * 100, None),
    ("method", "m" * 101, "method长度不能超过 100"),
    ("method", ["m"], "method格式不符"),
    ("callback", "c" * 255, None),
    ("callback", "c" * 256, "callback长度不能超过 255"),
    ("callback", ["c"], "callback格式不符"),
]


@pytest.mark.attack("SG-3", "TY-12")
@pytest.mark.parametrize(("name", "value", "text"), CASES)
def test_each_rule(name: str, value: Any, text: str | None) -> None:
    assert verdict({name: value}) == text


@pytest.mark.parametrize("name", ["appkey", "token", "sign", "timestamp", "format", "method", "callback"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_not_there_skips_its_rule(name: str, value: Any) -> None:
    assert verdict({name: value}) is None


def test_the_order() -> None:
    wrong: dict[str, Any] = {
        "callback": "c" * 256,
        "method": "m" * 101,
        "format": "zz",
        "timestamp": "abc",
        "sign": "x",
        "token": "t" * 101,
        "appkey": "1",
    }
    told = []
    for name in ("appkey", "token", "sign", "timestamp", "format", "method", "callback"):
        told.append(verdict(wrong))
        del wrong[name]
    assert told == [
        "appkey长度不符合要求 8",
        "token长度不能超过 100",
        "sign长度不能小于 32",
        "无效的日期格式",
        WRONG_FORMAT,
        "method长度不能超过 100",
        "callback长度不能超过 255",
    ]


@pytest.mark.attack("CK-7")
@pytest.mark.parametrize(
    "callback", ["alert(1)", "<script>", "a b", "a;b", "1a", "中", "a\n", "c" * 65, "a-b", "a[0]", "//x", "\u2028"]
)
def test_an_illegal_callback_is_told_where_it_would_be_written(callback: str) -> None:
    assert verdict({"format": "jsonp", "callback": callback}) == "callback格式不符"
    assert verdict({"format": "json", "callback": callback}) is None


@pytest.mark.parametrize("callback", ["cb", "cb_1.x", "$", "_", "a" * 64, "jQuery123_456"])
def test_legal_callbacks(callback: str) -> None:
    assert verdict({"format": "jsonp", "callback": callback}) is None


@pytest.mark.parametrize(
    ("value", "token"), [("abc", "abc"), (5, "5"), ("0", ""), ("", ""), (None, ""), (0, ""), (["a"], "")]
)
def test_tokens(value: Any, token: str) -> None:
    assert (public_rules.token_of({"token": value}) or "") == token
