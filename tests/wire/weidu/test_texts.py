"""The catalogue of sentences."""

import string

import pytest

from menshen.wire.weidu.texts import TEXTS, Message, sentence


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
