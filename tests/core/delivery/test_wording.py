"""Words of messages: places, signatures, and the faults that a text may have."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.wording import PRODUCT, Rendered, Texts, find_faults, render, signature_id
from menshen.core.time import Instant
from menshen.texts.reader import CHINESE, LANGUAGES, texts_in

SMS = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", Instant(1), code="040719")
MAIL = replace(SMS, channel=Channel.EMAIL, to="kevin@b.example")


def texts(language: str = CHINESE, **given: str) -> Texts:
    return {**texts_in(language), **{key.replace("__", "."): text for key, text in given.items()}}


@pytest.mark.parametrize(
    ("to", "product", "text"),
    [
        ("+8613544285662", "", "验证码040719，用于登录，5分钟内有效。请勿告诉他人。"),
        ("+8613544285662", "门神", "【门神】验证码040719，用于登录，5分钟内有效。请勿告诉他人。"),
        ("+85251234567", "门神", "验证码040719，用于登录，5分钟内有效。请勿告诉他人。"),
        # Taiwan's prefix does not begin with the mainland's.
        ("+886912345678", "门神", "验证码040719，用于登录，5分钟内有效。请勿告诉他人。"),
    ],
)
def test_a_signature_stands_in_front_where_the_country_wants_one(to: str, product: str, text: str) -> None:
    assert render(texts(product__name=product), replace(SMS, to=to)) == Rendered("", text)


def test_english_to_the_mainland_is_signed_too() -> None:
    said = render(texts("en", product__name="Door"), SMS).text
    assert said == "【Door】040719 is your code to log in. It is valid for 5 minutes. Tell nobody."


def test_a_text_with_a_signature_of_its_own_gets_no_second() -> None:
    own = texts(product__name="门神", sms__code_login="【商城】验证码{code}。")
    assert render(own, SMS).text == "【商城】验证码040719。"
    assert render({**own, "signature.+86": ""}, SMS).text == "【商城】验证码040719。"
    assert render({**texts(product__name="门神"), "signature.+86": ""}, SMS).text.startswith("验证码")


def test_the_longest_prefix_signs() -> None:
    held = {"signature.+1": "a", "signature.+1876": "b", "sms.code_login": "c"}
    assert signature_id(held, "+18761234567") == "signature.+1876"
    assert signature_id(held, "+12025550123") == "signature.+1"
    assert signature_id(held, "+4915112345678") == ""


def test_a_mail_has_a_subject_of_its_own_and_the_code_in_its_first_line() -> None:
    said = render(texts("en", product__name="Door"), MAIL)
    assert said.subject == "Your code to log in"
    assert said.text.split("\n")[0] == "Hello, 040719 is your code to log in."
    assert said.text.split("\n")[-1] == "Door"


def test_a_line_about_the_product_is_left_out_without_a_name() -> None:
    named, nameless = (render(texts("en", product__name=name), MAIL).text for name in ("Door", ""))
    assert named == f"{nameless}\n\nDoor"


def test_values_are_never_read_as_texts() -> None:
    odd = replace(
        SMS, to="+85251234567", template=Template.IDENTIFIER_CHANGED, detail="{code}{product}{0.x}%s", code="1"
    )
    assert "{code}{product}{0.x}%s" in render(texts("en", product__name="{detail}"), odd).text


def test_what_was_rendered_is_not_shown() -> None:
    assert "040719" not in repr(render(texts(), SMS))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_the_program_has_a_fault(language: str) -> None:
    held = texts_in(language)
    assert held[PRODUCT] == ""
    found = {key: [*find_faults(key, text, product="Door")] for key, text in held.items() if key != PRODUCT}
    assert {key: faults for key, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("text_id", "text", "fault"),
    [
        ("sms.code_login", "", "is empty"),
        ("sms.code_login", " \u3000", "is empty"),
        ("sms.code_login", "Hello", "has no {code}"),
        ("mail.code_reset", "Hello\n{minutes}", "has no {code}"),
        ("sms.code_login", "{code}\nno", "has line breaks"),
        ("sms.code_login", "{code}\r", "has line breaks"),
        ("sms.code_login", "{code}\u2028", "has line breaks"),
        ("sms.code_login", "{code}\u202e", "control characters"),
        ("subject.code_login", "a\nBcc: all@b.example", "has line breaks"),
        ("subject.code_login", "a\x00", "control characters"),
        ("mail.code_login", "{code}\x1b[2J", "has control characters"),
        ("mail.code_login", "{code}\x00", "has control characters"),
        ("product.name", "a\nb", "has line breaks"),
        ("product.name", "", "is empty"),
        ("product.name", "{product}", "has braces"),
        ("product.name", "x" * 41, "has 41 characters, and 40"),
        ("signature.+86", "【{code}】", "has {code}, and its places are {product}"),
        ("sms.code_login", "{code} {detail}", "has {detail}, and its places are {code}, {minutes}, {product}"),
        ("sms.code_login", "{code} {Code}", "has {Code}"),
        ("sms.code_login", "{code!r}", "has {code!r}"),
        ("sms.code_login", "{code:>9}", "has {code:>9}"),
        ("sms.code_login", "{code.__class__}", "has {code.__class__}"),
        ("sms.code_login", "{code} {}", "has {}"),
        ("sms.code_login", "{code} {", "has {, and"),
        ("sms.code_login", "{{code}}", "has {, and"),
        ("sms.code_login", "{code} }", "has }, and"),
        ("sms.code_login", "{code}{\x1b}", "has braces, and"),
        ("sms.password_changed", "{code}", "has {code}, and its places are {product}"),
        ("sms.identifier_changed", "{minutes}", "its places are {detail}, {product}"),
        ("sms.code_login", "{code}" + "x" * 600, "has 606 characters"),
    ],
)
def test_a_fault_is_found(text_id: str, text: str, fault: str) -> None:
    assert [found for found in find_faults(text_id, text, product="Door") if fault in found]


@pytest.mark.parametrize(
    ("text_id", "text"),
    [
        ("sms.code_login", "{code}"),
        ("sms.identifier_changed", "x"),
        ("subject.code_login", "{code}: {product}"),
        ("mail.code_login", "{code}\r\n\t{minutes}\n"),
        ("signature.+86", ""),
        ("signature.+86", "[{product}] "),
        ("sms.account_deleted", "100 % 😀"),
    ],
)
def test_a_good_text_has_none(text_id: str, text: str) -> None:
    assert [*find_faults(text_id, text, product="Door")] == []


def test_a_text_that_names_the_product_needs_one() -> None:
    (fault,) = find_faults("sms.code_login", "{product}: {code}", product="")
    assert "[texts] product" in fault


IDS = sorted(key for key in texts_in("en") if key != PRODUCT)
WORDS = st.lists(
    st.sampled_from(["{code}", "{minutes}", "{detail}", "{product}", "{", "}", "\n", "【", "x", " ", "\x00"])
).map("".join)


@given(
    st.dictionaries(st.sampled_from(IDS), WORDS | st.text(max_size=20)),
    st.sampled_from(["", "Door", "{code}"]),
    st.sampled_from(Template),
    st.sampled_from([(Channel.SMS, "+8613544285662"), (Channel.SMS, "+85251234567"), (Channel.EMAIL, "a@b.example")]),
    st.text("a*@", min_size=1, max_size=10),
)
def test_a_text_without_faults_is_a_message_with_its_code(
    given_texts: dict[str, str], product: str, template: Template, receiver: tuple[Channel, str], detail: str
) -> None:
    good = {key: text for key, text in given_texts.items() if not [*find_faults(key, text, product=product)]}
    code = "040719" if template.has_code else ""
    message = Message(receiver[0], receiver[1], template, "en", Instant(1), code=code, detail=detail)
    said = render({**texts("en"), **good, PRODUCT: product}, message)
    assert said.text
    assert code in said.text
    assert "\n" not in said.subject
    assert bool(said.subject) == (receiver[0] is Channel.EMAIL)
