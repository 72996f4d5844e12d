"""The catalogue of sentences, and who gets which language."""

import string

import pytest

from menshen.wire.weidu.texts import TEXTS, Message, preferred, sentence


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("say", list(Message))
def test_every_sentence_stands_in_both_languages(say: Message) -> None:
    chinese, english = TEXTS[say]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    assert english.isascii()
    assert english[0].isupper()
    assert placeholders(chinese) == placeholders(english)
    assert placeholders(chinese) <= {"field", "seconds", "minimum"}


def test_the_sentences_of_the_contract() -> None:
    assert sentence(Message.WRONG_CREDENTIALS, "zh") == "账号或密码错误"
    assert sentence(Message.WRONG_CODE, "zh") == "验证码错误或已失效"
    assert sentence(Message.UNAUTHENTICATED, "zh") == "未登录或登录已过期"
    assert sentence(Message.TOO_MANY_REQUESTS, "zh", seconds=58) == "操作过于频繁，请58秒后重试"
    assert sentence(Message.TOO_MANY_REQUESTS, "en", seconds=58) == "Too many requests, try again in 58 s"


@pytest.mark.attack("IN-3")
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-us", "en"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, en;q=0.2", "en"),
        ("fr, de", "zh"),
        ("*", "zh"),
        ("en;q=0", "zh"),
        ("en;q=0.5, zh;q=0.5", "en"),
        ("zh;q=0.5, en;q=0.5", "zh"),
        ("zh;q=0.500, en;q=0.501", "en"),
        ("en;q=1.5", "zh"),
        ("en;q=NaN", "zh"),
        ("en;level=1", "zh"),
        ("english", "zh"),
        ("en," * 1000, "zh"),
        ("\x00\xff;q=", "zh"),
    ],
)
def test_the_preferred_language(header: str, language: str) -> None:
    assert preferred([header]) == language


def test_no_header_is_chinese() -> None:
    assert preferred([]) == "zh"
