"""What a profile may hold, and what is shown of one that holds more."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from menshen.core.account.accounts import Gender, Profile
from menshen.core.account.profiles import ADDRESS, TEXTS, judge_profile, mended
from menshen.core.identifiers import masked
from menshen.core.plain_text import is_plain
from menshen.core.problems import Denied, ProblemCode

UNFIT = ["a\nb", "a\x1b[31mb", "a\u202eb", "a\x9bb", "\x00", "\u2028", "a\x7f", "\ud800"]
LINES = [name for name, rule in TEXTS.items() if rule.form == "line"]
ADDRESSES = [
    "", "http://a", "HTTPS://a.b:8/c", "//a", "//host/head_pic.jpg", "http://[::1]/x?y=~%20", "https://" + "a" * 504,
    "http://xn--fiqs8s/%E5%A4%B4.png#x", "https://h/a,b;c='d'(e)*!$&",
]  # fmt: skip
NO_ADDRESSES = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)", " https://a",
    "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "ftp://a/b", "blob:https://a/b", "https:", "https://",
    "https:///x", "http:/a", "///a", "/x.png", "x.png", "//", "//?x", "//:80", "https://user@host/x",
    "https://user:secret@host/x", "https://host:x/", "https://host:123456/", "https://-a/", "https://a\\@b/",
    'https://a/"onerror=x', "https://a/<b>", "https://a/b c", "https://a/b\n", "https://a/b\u202e", "https://a/头.png",
    "https://" + "a" * 505,
]  # fmt: skip


def profile(field: str, text: str) -> Profile:
    changed: dict[str, Any] = {field: text}
    return replace(Profile(), **changed)


@pytest.mark.attack("IN-11")
@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_a_picture_is_an_http_address_with_a_host_or_none(text: str) -> None:
    assert judge_profile({"avatar_url": text}) == Denied(ProblemCode.INVALID_REQUEST, field="avatar_url")
    assert mended(Profile(avatar_url=text)) == Profile()
    assert TEXTS["avatar_url"].shown(text) == ""


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses_stay_as_they_are(text: str) -> None:
    assert judge_profile({"avatar_url": text}) is None
    assert mended(Profile(avatar_url=text)).avatar_url == TEXTS["avatar_url"].shown(text) == text


@pytest.mark.attack("IN-11")
@pytest.mark.parametrize("field", LINES)
@pytest.mark.parametrize("text", UNFIT, ids=ascii)
def test_a_line_is_plain(field: str, text: str) -> None:
    assert judge_profile({"city": "x", field: text}) == Denied(ProblemCode.INVALID_REQUEST, field=field)
    assert is_plain(TEXTS[field].shown(text))
    assert is_plain(getattr(mended(profile(field, text)), field))


@pytest.mark.attack("IN-11")
def test_a_description_has_lines_and_nothing_that_turns_them() -> None:
    assert judge_profile({"description": "第一行\n第二行\t。\r\n"}) is None
    for text in ("a\x1b", "a\n\u202eb", "\u2028"):
        assert judge_profile({"description": text}) == Denied(ProblemCode.INVALID_REQUEST, field="description")
        assert TEXTS["description"].shown(f"a\n{text}").startswith("a\n")


def test_lengths_days_and_types() -> None:
    for field, rule in TEXTS.items():
        if rule.form in {"line", "lines"}:
            assert judge_profile({field: "长" * rule.most}) is None
            assert judge_profile({field: "长" * (rule.most + 1)}) is not None
            assert len(getattr(mended(profile(field, "长" * 2000)), field)) == rule.most
        assert judge_profile({field: ""}) is None
        assert judge_profile({field: 1}) is not None
    for day, good in (
        ("2000-02-29", True),
        ("1990-02-30", False),
        ("2000-2-9", False),
        ("20000229", False),
        ("x", False),
    ):
        assert (judge_profile({"birthday": day}) is None) is good
        assert mended(Profile(birthday=day)).birthday == (day if good else "")
    assert judge_profile({"gender": Gender.MALE}) is None
    assert judge_profile({"gender": "<b>"}) is not None


def test_a_profile_that_keeps_the_rules_is_the_same_one() -> None:
    whole = Profile(
        nickname="小明 👨‍👩‍👧", avatar_url="//h/p.png", birthday="2000-02-29", description="a\nb", city="Zoë"
    )
    assert mended(whole) is whole


def test_the_pattern_of_an_address_is_that_of_the_api() -> None:
    assert TEXTS["avatar_url"].pattern == ADDRESS


@pytest.mark.attack("IN-11")
@pytest.mark.parametrize("typed", ["\x1b[2Jx", "\u202eab", "a@b\n\x1b]0;x\x07", "\x9b31m@x.example"])
def test_what_is_masked_is_plain(typed: str) -> None:
    assert is_plain(masked(typed))


def test_each_text_of_a_profile_has_a_rule() -> None:
    """A field without a rule would be stored as it came."""
    assert set(TEXTS) == {field.name for field in fields(Profile) if field.type == "str"}
